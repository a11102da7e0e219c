/*
 * The owner thread of a run: steps the controller, keeps the story, and tells the watchers.
 */

#include "evolve.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "checkpoints.h"
#include "cli.h"
#include "commands.h"
#include "files.h"
#include "handles.h"
#include "settings.h"
#include "signals.h"
#include "summary.h"
#include "terminal.h"
#include "text.h"
#include "watch.h"

#define TICK_S 0.1
#define WATCHERS_MAX 3

const struct option options_watch[] = {
	{ "progress", "HOW", "how the run is shown", "auto|tty|plain|json|none", NULL, OPTION_CHOICE,
	  0 },
	{ "events", "FILE",
	  "also write the events there, as NDJSON; fd:N is an open descriptor, unix:PATH a socket", NULL,
	  NULL, OPTION_FILE, 0 },
	{ "require-target", NULL, "exit with 6 if the target score was not reached", NULL, NULL,
	  OPTION_FLAG, 0 },
	{ 0 },
};

struct evolution {
	struct session *session;
	struct story story;
	struct watcher *watchers[WATCHERS_MAX];
	size_t watcher_count;
	bool shown; /* somebody sees what the watchers write, as it happens */
	double tick_at;
};

/* ---- watchers ---- */

static void add_watcher(struct evolution *evolution, struct watcher *watcher)
{
	if (watcher)
		evolution->watchers[evolution->watcher_count++] = watcher;
}

static bool shows_display(void)
{
	const char *term = getenv("TERM");

	return terminal_is(stderr) && term && strcmp(term, "dumb") != 0;
}

static struct watcher *make_progress(const char *how)
{
	if (!how || strcmp(how, "auto") == 0)
		how = message_level() == 0 ? "none" : shows_display() ? "tty" : "plain";
	if (strcmp(how, "tty") == 0)
		return display_new(stderr);
	if (strcmp(how, "plain") == 0)
		return plain_new(stderr);
	if (strcmp(how, "json") == 0)
		return ndjson_new(stdout, false);
	return NULL;
}

/* Standard streams are written by others too: what is closed in the end is a copy. */
static int open_descriptor(long fd)
{
	if (fd <= STDERR_FILENO)
		return fcntl((int)fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : (int)fd;
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The number in "fd:3"; negative if it is none. */
static long descriptor_of(const char *where)
{
	char *end;
	long fd = strtol(where + 3, &end, 10);

	return end == where + 3 || *end || fd > 1 << 20 ? -1 : fd;
}

/* A file is appended to: a run that goes on has one stream. */
static int make_events(struct evolution *evolution, const char *where)
{
	int fd;

	if (!where)
		return EXIT_DONE;
	if (text_starts(where, "fd:")) {
		if (descriptor_of(where) < 0)
			return message_fail(EXIT_USAGE, "--events: expected fd:N, unix:PATH or a file, not '%s'",
								where);
		fd = open_descriptor(descriptor_of(where));
	} else if (text_starts(where, "unix:")) {
		fd = open_socket(where + strlen("unix:"));
	} else {
		fd = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	}
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "a");
	if (!stream)
		return message_fail(EXIT_FAILED, "--events: %s: %s", where, strerror(errno));
	add_watcher(evolution, ndjson_new(stream, true));
	return EXIT_DONE;
}

/* Are there events on standard output? Then nothing else is printed there. */
static bool takes_output(const struct arguments *arguments)
{
	const char *progress = arguments_get(arguments, "progress");
	const char *events = arguments_get(arguments, "events");

	return (progress && strcmp(progress, "json") == 0) ||
		   (events && text_starts(events, "fd:") && descriptor_of(events) == STDOUT_FILENO);
}

static int make_watchers(struct evolution *evolution, const struct arguments *arguments)
{
	const oe_config *config = evolution->session->config;
	const char *log_dir = settings_text(config, "log_dir");
	const char *level = settings_text(config, "log_level");
	AUTO(string) char *logs =
		log_dir ? must_copy(log_dir) : must_format("%s/logs", evolution->story.directory);

	int status = make_events(evolution, arguments_get(arguments, "events"));
	if (status)
		return status;
	add_watcher(evolution, logfile_new(logs, level ? level : "INFO",
									   settings_text(config, "logger_prefix")));
	struct watcher *progress = make_progress(arguments_get(arguments, "progress"));
	add_watcher(evolution, progress);
	evolution->shown = progress != NULL;
	return EXIT_DONE;
}

static void end_watchers(struct evolution *evolution)
{
	for (size_t i = 0; i < evolution->watcher_count; i++) {
		struct watcher *watcher = evolution->watchers[i];
		watcher->methods->end(watcher, &evolution->story);
		watcher->methods->free(watcher);
	}
	evolution->watcher_count = 0;
}

/* ---- the story's frame ---- */

/* That this process may use, which is what the library goes by; a machine may have more. */
static int64_t processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static int begin_story(struct evolution *evolution, const struct evolve_plan *plan)
{
	struct story *story = &evolution->story;
	const struct session *session = evolution->session;
	const oe_config *config = session->config;
	AUTO(population) oe_population *population = NULL;

	story->name = plan->name ? plan->name : path_name(session->program_path);
	story->directory = plan->directory;
	const char *store = settings_text(config, "store.backend");
	story->exports = store && strcmp(store, "directory") == 0;
	story->target = settings_number(config, "target_score", NAN);
	story->time_max_s = settings_number(config, "max_time", -1);
	story->evaluation_slots = (int64_t)settings_number(config, "evaluator.parallel_evaluations", 0);
	if (story->evaluation_slots == 0)
		story->evaluation_slots = processors();

	oe_statistics now = { .struct_size = sizeof(now) };
	int status = oe_controller_statistics(session->controller, &now);
	if (status >= 0)
		status = oe_controller_population(session->controller, &population);
	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	story_begin(story, &now, population);
	return EXIT_DONE;
}

/* ---- the loop ---- */

static void note_stops(struct evolution *evolution)
{
	struct story *story = &evolution->story;
	int stops = signals_stops();

	if (stops == story->stopping)
		return;
	story->stopping = stops < 2 ? stops : 2;
	double grace = settings_number(evolution->session->config, "evaluator.grace", 5);
	story->grace_end = story_clock() + fmin(grace, 5);
}

static void tell(struct evolution *evolution, const oe_event *event)
{
	struct story_news news = story_event(&evolution->story, event);

	for (size_t i = 0; i < evolution->watcher_count; i++)
		evolution->watchers[i]->methods->event(evolution->watchers[i], &evolution->story, event,
											   &news);
	/* What went wrong is said even to those who want to hear nothing else. */
	if (!evolution->shown && event->type == OE_EVENT_LOG && event->level == 0)
		(void)message_fail(EXIT_FAILED, "%s", event->text);
}

/* One line for everybody who watches, the log file among them. */
static void tell_status(struct evolution *evolution)
{
	const struct story *story = &evolution->story;
	AUTO(text) struct text text = TEXT_INIT;

	text_format(&text, "status: %lld iterations in ", (long long)story->now.ended);
	text_duration(&text, story->now.elapsed_s);
	text_add(&text, ", best ");
	text_score(&text, story->best);
	text_format(&text, ", %lld calls and %lld evaluations under way", (long long)story->now.llm_in_flight,
				(long long)story->now.evaluations_in_flight);
	tell(evolution, &(oe_event){ .struct_size = sizeof(oe_event),
								 .type = OE_EVENT_LOG,
								 .level = 2,
								 .island = OE_ISLAND_ALL,
								 .text = text_string(&text),
								 .model = "" });
}

static void tick(struct evolution *evolution)
{
	oe_controller *controller = evolution->session->controller;
	oe_statistics now = { .struct_size = sizeof(now) };
	oe_error err = { 0 };

	if (signals_checkpoint() && oe_controller_checkpoint(controller, &err) < 0)
		message("no checkpoint: %s", err.message);
	if (oe_controller_statistics(controller, &now) == 0)
		story_tick(&evolution->story, &now);
	note_stops(evolution);
	if (signals_status())
		tell_status(evolution);
	for (size_t i = 0; i < evolution->watcher_count; i++)
		evolution->watchers[i]->methods->tick(evolution->watchers[i], &evolution->story);
	evolution->tick_at = story_clock() + TICK_S;
}

/* Until the run ends: enum oe_stop_reason, or a status. */
static int step_all(struct evolution *evolution, oe_error *err)
{
	const oe_event *event = NULL;

	for (;;) {
		int got = oe_controller_step(evolution->session->controller, (int64_t)(TICK_S * 1000),
									 &event, err);
		if (got < 0)
			return got;
		if (got > 0 && event->type == OE_EVENT_DONE) {
			story_end(&evolution->story, event);
			return event->stop;
		}
		if (got > 0)
			tell(evolution, event);
		if (got == 0 || story_clock() >= evolution->tick_at)
			tick(evolution);
	}
}

/* ---- the end ---- */

static int status_of_signal(void)
{
	int number = signals_first();

	return number == SIGINT ? EXIT_SIGNAL + SIGINT : number ? EXIT_SIGNAL + SIGTERM : EXIT_DONE;
}

/* A run whose every iteration failed for one reason did not do what it was asked for. */
static int status_of_outcomes(const struct story *story)
{
	int64_t ended = story->now.ended - story->before.ended;
	int64_t failed = story->now.outcomes[OE_OUTCOME_LLM_FAILED] -
					 story->before.outcomes[OE_OUTCOME_LLM_FAILED];

	if (ended > 0 && failed == ended)
		return message_fail(EXIT_LLM, "no call of a model succeeded: %s", story->refused);
	if (isnan(story->best) || isinf(story->best))
		return message_fail(EXIT_EVALUATOR, "no program has a score: try 'oe eval'");
	return EXIT_DONE;
}

static int fail_evaluator(const struct evolution *evolution)
{
	const struct session *session = evolution->session;

	message_fail(EXIT_EVALUATOR, "%s", evolution->story.reason_text);
	message("'oe eval %s --evaluator %s' tells more", session->program_path,
			session->evaluator_path);
	return EXIT_EVALUATOR;
}

/* The log has everything; but who looks for the best program where it should be finds another one. */
static int status_of_exports(const struct story *story)
{
	if (story_exported(story))
		return EXIT_DONE;
	return message_fail(EXIT_STORE, "best/ and checkpoints/ of %s are not as the run ended: %s", story->directory,
						story->trouble);
}

static int status_of(const struct evolution *evolution, const struct arguments *arguments,
					 int reason)
{
	const struct story *story = &evolution->story;
	int status = EXIT_DONE;

	switch (reason) {
	case OE_REASON_REQUESTED:
		return status_of_signal();
	case OE_REASON_LLM:
		return message_fail(EXIT_LLM, "%s", story->reason_text);
	case OE_REASON_EVALUATOR:
		return fail_evaluator(evolution);
	case OE_REASON_STORE:
		return message_fail(EXIT_STORE, "%s", story->reason_text);
	default:
		status = status_of_outcomes(story);
		break;
	}
	if (status == EXIT_DONE)
		status = status_of_exports(story);
	if (status == EXIT_DONE && arguments_has(arguments, "require-target") &&
	    !(story->best >= story->target))
		return message_fail(EXIT_TARGET, "the target score was not reached");
	return status;
}

static int run(struct evolution *evolution, const struct arguments *arguments)
{
	oe_error err = { 0 };

	signals_begin(evolution->session->controller);
	int reason = step_all(evolution, &err);
	tick(evolution);
	end_watchers(evolution);
	signals_end();
	if (reason < 0)
		return message_error(EXIT_STORE, reason, &err);
	summary_print(&evolution->story, evolution->session, !takes_output(arguments));
	return status_of(evolution, arguments, reason);
}

/* ---- beginning ---- */

bool evolve_has_run(const char *directory)
{
	AUTO(string) char *path = must_format("%s/run.db", directory);

	return file_exists(path);
}

static int fail_open(int status, const oe_error *err)
{
	switch (status) {
	case OE_ERR_STATE:
	case OE_ERR_FORMAT:
	case OE_ERR_VERSION:
	case OE_ERR_IO:
		return message_error(EXIT_STORE, status, err);
	default:
		return message_error(EXIT_FAILED, status, err);
	}
}

/* What `oe resume` needs to find everything again, from wherever it is called. */
static int note_origin(const struct session *session)
{
	AUTO(string) char *evaluator = path_absolute(session->evaluator_path);
	AUTO(string) char *program =
		session->program_path ? path_absolute(session->program_path) : NULL;
	int status = oe_controller_set_property(session->controller, "evaluator", evaluator);

	if (status >= 0 && program)
		status = oe_controller_set_property(session->controller, "program", program);
	return status;
}

static int begin(struct session *session, const struct evolve_plan *plan)
{
	oe_error err = { 0 };
	bool resume = false;

	int status = oe_controller_new(session->config, session->scheduler, session->llm,
								   session->evaluator, plan->directory, &session->controller, &err);
	if (status >= 0)
		status = oe_controller_set_extension(session->controller, session->extension);
	/* `oe run --resume` begins if there is nothing yet; `oe resume` has no program to begin with. */
	if (status >= 0 && plan->resume && session->program)
		status = oe_controller_has_run(session->controller, &err);
	if (status >= 0 && plan->resume)
		resume = status > 0 || !session->program;
	if (status >= 0 && (resume || plan->checkpoint))
		status = oe_controller_resume(session->controller, resume ? NULL : plan->checkpoint, &err);
	else if (status >= 0)
		status = oe_controller_seed(session->controller, session->program, &err);
	if (status >= 0)
		status = note_origin(session);
	if (status >= 0)
		return EXIT_DONE;
	int failure = fail_open(status, &err);
	/* Without a controller another process is at it. */
	if (status == OE_ERR_STATE && session->controller && !resume)
		message("'oe resume %s' goes on with it; -o DIR begins another one", plan->directory);
	return failure;
}

/* Nothing is made for a run that cannot begin: it would be taken for the newest one. */
static int make_folder(const struct evolve_plan *plan)
{
	bool begins = plan->checkpoint && !(plan->resume && evolve_has_run(plan->directory));

	int status = begins ? checkpoints_check(plan->checkpoint) : EXIT_DONE;
	if (status == EXIT_DONE && folder_make(plan->directory) < 0)
		status = message_fail(EXIT_STORE, "%s: %s", plan->directory, strerror(errno));
	return status;
}

int evolve(struct session *session, const struct arguments *arguments,
		   const struct evolve_plan *plan)
{
	struct evolution evolution = { .session = session };

	if (arguments_has(arguments, "require-target") &&
	    !settings_text(session->config, "target_score"))
		return arguments_misuse(arguments->command, "--require-target: there is no target score");
	int status = make_folder(plan);
	if (status == EXIT_DONE)
		status = begin(session, plan);
	if (status)
		return status;
	story_init(&evolution.story);
	status = begin_story(&evolution, plan);
	if (status == EXIT_DONE)
		status = make_watchers(&evolution, arguments);
	if (status == EXIT_DONE)
		status = run(&evolution, arguments);
	for (size_t i = 0; i < evolution.watcher_count; i++)
		evolution.watchers[i]->methods->free(evolution.watchers[i]);
	story_done(&evolution.story);
	return status;
}
