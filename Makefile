# What can be asked for in a fresh clone; `make demo` and `make check` set up what they need themselves.

.PHONY: build demo check check-lint check-unit check-faults check-real check-docker check-packages check-systems bench clean

# What functions have in common becomes a function of its own, where that saves more than a packer would;
# build.ld sorts functions by the types in their names.
SMALL := -Cllvm-args=-enable-machine-outliner=always -Cllvm-args=-outliner-benefit-threshold=14 -Csymbol-mangling-version=v0

build:
	RUSTFLAGS="$(SMALL)" cargo build --release --locked

demo: build
	cargo run --quiet --locked --example demo

check:
	tests/check lint unit faults real docker packages systems

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
