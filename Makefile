# The everyday commands. Meson and ninja do the work; this file only names it.
#
#   make run     build, replay the bundled examples, explain them, then watch this machine's loopback
#   make test    build with gcc and with clang and sanitizers, run every test in both
#   make lab     make outages for real in a laboratory of namespaces, and judge what lastlight says
#   make bench   measure speed and memory against peers          make fuzz   fuzz every decoder
#   make lint    format and static checks                        make clean  remove the builds

BUILD ?= build
FUZZ_CASES ?= 1000000
FUZZ_SECONDS ?= 300
SEED ?= 1
JOBS ?= 3

.PHONY: all deps test-deps bench-deps lab-deps run test lab bench fuzz lint format golden clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

deps:
	@tools/deps.sh build

test-deps:
	@tools/deps.sh build test

bench-deps:
	@tools/deps.sh build test bench

lab-deps:
	@tools/deps.sh build test lab

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

run: deps
	@tools/demo.sh $(BUILD)

test: test-deps
	@tools/test.sh $(BUILD)

# SEED varies delays, times and victims; JOBS laboratories run side by side.
lab: lab-deps all
	@lab/lab run --all --seed $(SEED) --jobs $(JOBS) --build $(BUILD)

bench: bench-deps
	@bench/run.sh $(BUILD)

# FUZZ_CASES generated cases for each decoder, but no longer than FUZZ_SECONDS each.
fuzz: test-deps
	@tools/fuzz.sh $(BUILD)-fuzz $(FUZZ_CASES) $(FUZZ_SECONDS)

lint: test-deps
	@tools/lint.sh $(BUILD)

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-fuzz
