# A thin wrapper around meson; every target works in a fresh clone.

BUILD ?= build
PYTHON3 ?= /usr/bin/python3

.PHONY: all demo check check-long bench deps deps-check clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

deps:
	@scripts/install-deps

deps-check:
	@scripts/install-deps check

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD)

# Evolve circle packing for a minute on the embedded default: no key, no network.
demo: deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet
	@$(BUILD)/cli/oe demo circle_packing --max-time 60s

# All tests that are quick enough for every change; prints totals.
check: deps-check
	@scripts/check $(BUILD)

# Sanitizers over everything, fuzzing, soaks.
check-long: deps-check
	@scripts/check-long

# The measurements of docs/performance.md, as one table.
bench: deps-check
	@scripts/bench

clean:
	@rm -rf $(BUILD) build-*
