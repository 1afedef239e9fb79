# Packages. All of it works as any user; `install` asks sudo for the one step that is root's.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
TOOLS ?= $(CURDIR)/target/tools
CARGO_DEB := $(TOOLS)/bin/cargo-deb
CARGO_GENERATE_RPM := $(TOOLS)/bin/cargo-generate-rpm

# TARGET: one of Rust's targets, whose library rustup has; without it, what cargo builds for this host.
TARGET ?=
ARCH := $(if $(TARGET),$(firstword $(subst -, ,$(TARGET))),$(shell uname -m))
DEB_ARCH_x86_64 := amd64
DEB_ARCH_aarch64 := arm64
DEB_ARCH := $(if $(TARGET),$(or $(DEB_ARCH_$(ARCH)),$(ARCH)),$(shell dpkg --print-architecture 2>/dev/null || uname -m))
OUT := target$(if $(TARGET),/$(TARGET))
DEB := $(OUT)/debian/openclaw-oauth-sync_$(VERSION)_$(DEB_ARCH).deb
RPM := $(OUT)/rpm/openclaw-oauth-sync-$(VERSION)-1.$(ARCH).rpm

# Debian's compiler for an architecture does for musl too: what is in C includes none of the C library, which
# Rust brings itself. A static program requires no package.
ifneq ($(TARGET),)
FOR_TARGET := --target $(TARGET)
COMPILER := CC_$(subst -,_,$(TARGET))
$(COMPILER) ?= $(ARCH)-linux-gnu-gcc
LINK_BY := CARGO_TARGET_$(shell echo $(TARGET) | tr a-z- A-Z_)_LINKER
$(LINK_BY) ?= $($(COMPILER))
export $(COMPILER) $(LINK_BY)
endif
STRIP ?= $(if $(TARGET),$(ARCH)-linux-gnu-)strip
RPM_REQUIRES := $(if $(filter %-musl,$(TARGET)),disabled,builtin)
DIST_TARGETS ?= x86_64-unknown-linux-musl aarch64-unknown-linux-musl

# The same sources make the same bytes in any directory: paths are mapped away, and the time is the changelog's.
# A target directory of its own keeps these flags from rebuilding what `make build` has built.
PACKAGE_TARGET := $(CURDIR)/target/package
PACKAGE_ENV = CARGO_TARGET_DIR="$(PACKAGE_TARGET)" LC_ALL=C TZ=UTC \
	SOURCE_DATE_EPOCH="$$(date -d "$$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)" +%s)" \
	RUSTFLAGS="$$RUSTFLAGS --remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=/cargo --remap-path-prefix=$(CURDIR)=/src"

RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)

.PHONY: deb rpm dist builder install toolchain package-build completions third-party

# A cargo that is too old says no more than that it cannot read the manifest.
toolchain:
	@have=$$(cargo --version 2>/dev/null | cut -d ' ' -f 2); \
	oldest=$$(printf '%s\n' "$(RUST)" "$${have:-0}" | sort -V | head -n 1); \
	[ "$$oldest" = "$(RUST)" ] || { \
	    echo "Rust $(RUST) or later is needed, and the cargo here is $${have:-missing}" >&2; \
	    echo "hint: 'apt install cargo-web' on Debian, 'dnf install cargo' on Fedora, else https://rustup.rs" >&2; \
	    exit 1; }
ifneq ($(TARGET),)
	@[ -d "$$(rustc --print target-libdir $(FOR_TARGET))" ] || { \
	    echo "Rust's library for $(TARGET) is missing" >&2; \
	    echo "hint: rustup target add $(TARGET)" >&2; \
	    exit 1; }
	@command -v "$($(COMPILER))" >/dev/null || { \
	    echo "the C compiler $($(COMPILER)) is missing" >&2; \
	    echo "hint: apt install gcc-$(subst _,-,$(ARCH))-linux-gnu libc6-dev-$(DEB_ARCH)-cross, or set $(COMPILER)" >&2; \
	    exit 1; }
endif

# The packers run for seconds: optimizing them would take longer than it saves.
INSTALL_PACKER := CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --locked --root "$(TOOLS)"

$(CARGO_DEB): | toolchain
	$(INSTALL_PACKER) cargo-deb@3.8.0

$(CARGO_GENERATE_RPM): | toolchain
	$(INSTALL_PACKER) cargo-generate-rpm@0.21.1

package-build: toolchain
	$(PACKAGE_ENV) cargo build --release --locked $(FOR_TARGET)

deb: package-build $(CARGO_DEB)
	$(PACKAGE_ENV) $(if $(TARGET),env "STRIP_$(TARGET)=$(STRIP)") \
	    "$(CARGO_DEB)" --no-build --locked --quiet $(FOR_TARGET) --output "$(DEB)"
	ln -f "$(DEB)" $(OUT)/debian/openclaw-oauth-sync.deb

# What cargo-deb does by itself is done here for the .rpm: the program stripped, the manual pages
# compressed, and no file older than the changelog, for cargo-generate-rpm only brings younger ones to its time.
rpm: package-build $(CARGO_GENERATE_RPM)
	mkdir -p target/rpm/files
	"$(STRIP)" --strip-unneeded -R .comment -R .note -o target/rpm/files/oauth-sync \
	    "$(PACKAGE_TARGET)/$(if $(TARGET),$(TARGET)/)release/oauth-sync"
	for page in man/*.[1-9]; do gzip -9nc "$$page" >"target/rpm/files/$${page##*/}.gz" || exit 1; done
	touch -c units/* completions/* docs/*.md docs/examples/* docs/examples/etcd/* THIRD-PARTY debian/changelog debian/copyright
	$(PACKAGE_ENV) "$(CARGO_GENERATE_RPM)" --metadata-overwrite rpm/metadata.toml $(FOR_TARGET) --auto-req $(RPM_REQUIRES) --output "$(RPM)"
	ln -f "$(RPM)" $(OUT)/rpm/openclaw-oauth-sync.rpm

# What is published: static programs, which run on any distribution of their architecture, the list of what is
# in each, and what they were built with. SHA256SUMS is of all of it.
dist:
	rm -rf target/dist
	mkdir -p target/dist
	@for target in $(DIST_TARGETS); do \
	    $(MAKE) deb rpm "TARGET=$$target" || exit 1; \
	    ln "target/$$target"/debian/openclaw-oauth-sync_*.deb "target/$$target"/rpm/openclaw-oauth-sync-*.rpm target/dist || exit 1; \
	    cargo run --quiet --locked --example components -- sbom "$$target" \
	        >"target/dist/openclaw-oauth-sync-$(VERSION).$$target.cdx.json" || exit 1; \
	    $(MAKE) --silent builder "TARGET=$$target" >>target/dist/BUILDER || exit 1; \
	done
	cp THIRD-PARTY target/dist
	cd target/dist && sha256sum * >SHA256SUMS

# The same sources and the same of these make the same bytes.
builder: toolchain
	@echo "$(or $(TARGET),this host):"
	@rustc --version && "$($(COMPILER))" --version | head -n 1 && "$(STRIP)" --version | head -n 1
	@"$(CARGO_DEB)" --version && "$(CARGO_GENERATE_RPM)" --version

install:
	@if command -v dpkg >/dev/null && command -v apt-get >/dev/null; then \
	    $(MAKE) deb && $(AS_ROOT) apt-get install -y --reinstall --allow-downgrades "./target/debian/openclaw-oauth-sync.deb"; \
	elif command -v dnf >/dev/null; then \
	    $(MAKE) rpm && { $(AS_ROOT) dnf -y install ./target/rpm/openclaw-oauth-sync.rpm && \
	        $(AS_ROOT) dnf -y reinstall ./target/rpm/openclaw-oauth-sync.rpm; }; \
	else \
	    echo "neither apt nor dnf is here: docs/without-packages.md tells how to install by hand" >&2; exit 1; \
	fi

completions:
	cargo run --quiet --locked --example completions -- completions

third-party:
	cargo run --quiet --locked --example components -- third-party >THIRD-PARTY
