# What can be asked for in a fresh clone; `make demo` and `make check` set up what they need themselves.

.PHONY: build demo check check-lint check-unit check-faults check-real check-docker check-packages check-systems bench clean

# Cargo reads RUSTFLAGS and the C compiler CFLAGS by themselves; LDFLAGS are handed on here, once.
ifneq ($(strip $(value LDFLAGS)),)
override RUSTFLAGS := $(value RUSTFLAGS) $(filter-out $(value RUSTFLAGS),$(patsubst %,-Clink-arg=%,$(value LDFLAGS)))
export RUSTFLAGS
endif

build:
	cargo build --release --locked

demo: build
	cargo run --quiet --locked --example demo

check:
	tests/check lint unit faults+real docker+packages systems

check-lint check-unit check-faults check-real check-docker check-packages check-systems:
	tests/check $(@:check-%=%)

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
