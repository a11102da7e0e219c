#ifndef OE_TEST_ASKING_H
#define OE_TEST_ASKING_H

/* Models of a configuration, for tests against the fake server. */

#include "base/buffer.h"
#include "fake_llm.h"
#include "scheduler/scheduler.h"
#include "tests/unit/llm/questions.h"

struct asking {
	struct fake_llm fake;
	oe_scheduler *scheduler;
	oe_llm *llm;
};

/* `options` are lines of the section llm; fake->url is put in front of them as api_base. */
static inline void asking_configure(struct asking *asking, const char *options)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	oe_config *config = NULL;
	oe_error err = { 0 };

	oe__buffer_printf(&text, "llm:\n  api_base: %s\n  api_key: sk-secret-of-the-test\n",
					  asking->fake.url);
	oe__buffer_text(&text, options);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, text.data, text.size, "test", &err) == 0, "%s",
				  err.message);
	ck_assert_msg(oe_llm_from_config(config, asking->scheduler, 0, &asking->llm, &err) == 0, "%s",
				  err.message);
	oe_config_free(config); /* the backends have copied what they need */
}

static inline void asking_begin(struct asking *asking, const char *const flags[],
								const char *options)
{
	oe_error err;

	*asking = (struct asking){ 0 };
	fake_llm_start(&asking->fake, flags);
	ck_assert_int_eq(oe_scheduler_new(1, &asking->scheduler, &err), 0);
	asking_configure(asking, options);
}

static inline void asking_end(struct asking *asking)
{
	oe_llm_unref(asking->llm);
	oe_scheduler_unref(asking->scheduler);
	fake_llm_stop(&asking->fake);
}

#endif /* OE_TEST_ASKING_H */
