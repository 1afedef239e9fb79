# What can be asked for in a fresh clone; `make demo` and the checks set up what they need themselves.

# The parts of the checks; those that are joined by + run beside each other.
CHECK := lint unit
CHECK_ALL := scripts+root faults+real docker+packages systems
PARTS := $(addprefix check-,$(subst +, ,$(CHECK) $(CHECK_ALL)) release)

.PHONY: build demo check check-all check-sum $(PARTS) bench clean

# Cargo reads RUSTFLAGS and the C compiler CFLAGS by themselves; LDFLAGS are handed on here, once.
ifneq ($(strip $(value LDFLAGS)),)
override RUSTFLAGS := $(value RUSTFLAGS) $(filter-out $(value RUSTFLAGS),$(patsubst %,-Clink-arg=%,$(value LDFLAGS)))
export RUSTFLAGS
endif

build:
	cargo build --release --locked

demo: build
	cargo run --quiet --locked --example demo

# What every host with a C compiler can run, as any user.
check:
	tests/check $(CHECK)

# What else a change can break; it needs root.
check-all:
	tests/check $(CHECK_ALL)

$(PARTS):
	tests/check $(@:check-%=%)

# What the parts of both have come to.
check-sum:
	@tests/check --sum $(CHECK) $(CHECK_ALL)

# A figure that is missed keeps none of the others from being measured.
bench: build
	@missed=0; \
	bench/run || missed=1; \
	BENCH_DIR=/var/tmp bench/run rotation || missed=1; \
	bench/gateway/run || missed=1; \
	exit $$missed

clean:
	cargo clean

include packages.mk
