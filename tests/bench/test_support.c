/* The helper that runs the fake model server for tests in C, with libcurl as the client. */
#include "fake_llm.h"
#include "../test.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static size_t discard(char *data, size_t size, size_t count, void *userdata)
{
	(void)data;
	(void)userdata;
	return size * count;
}

static long post(const struct fake_llm *fake, const char *body)
{
	CURL *curl = curl_easy_init();
	char url[128];
	long status = 0;

	snprintf(url, sizeof(url), "%s/chat/completions", fake->url);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	ck_assert_int_eq(curl_easy_perform(curl), CURLE_OK);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

START_TEST(test_start_control_stat_stop)
{
	const char *const flags[] = { "--rate-429", "1", "--mode", "none", NULL };
	const char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
	struct fake_llm fake, other;

	fake_llm_start(&fake, flags);
	fake_llm_start(&other, NULL);
	ck_assert_int_ne(fake.port, other.port);
	fake_llm_stop(&other);

	ck_assert_int_eq(post(&fake, body), 429);
	fake_llm_control(&fake, "{\"rate-429\": 0}");
	ck_assert_int_eq(post(&fake, body), 200);
	ck_assert_double_eq(fake_llm_stat(&fake, "requests"), 2);
	ck_assert_double_eq(fake_llm_stat(&fake, "status.429"), 1);
	ck_assert_double_eq(fake_llm_stat(&fake, "latency_ms.count"), 1);
	ck_assert_double_eq(fake_llm_stat(&fake, "status.404"), 0);

	char *last = fake_llm_last(&fake);
	ck_assert_ptr_nonnull(strstr(last, "hello"));
	free(last);
	fake_llm_reset(&fake);
	ck_assert_double_eq(fake_llm_stat(&fake, "requests"), 0);
	fake_llm_stop(&fake);
	fake_llm_stop(&fake);
}
END_TEST

TEST_MAIN("fake_llm support", test_start_control_stat_stop)
