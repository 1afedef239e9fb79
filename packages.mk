# Packages. All of it works as any user but `install`, which is root's.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
TOOLS ?= $(CURDIR)/target/tools
CARGO_DEB := $(TOOLS)/bin/cargo-deb
CARGO_GENERATE_RPM := $(TOOLS)/bin/cargo-generate-rpm
DEB_ARCH := $(shell dpkg --print-architecture 2>/dev/null || uname -m)
DEB := target/debian/openclaw-oauth-sync_$(VERSION)_$(DEB_ARCH).deb
RPM := target/rpm/openclaw-oauth-sync-$(VERSION)-1.$(shell uname -m).rpm

# The same sources make the same bytes in any folder: paths are mapped away, and the time is the changelog's.
# A target folder of its own keeps these flags from rebuilding what `make build` has built.
PACKAGE_TARGET := $(CURDIR)/target/package
PACKAGE_ENV = CARGO_TARGET_DIR="$(PACKAGE_TARGET)" LC_ALL=C TZ=UTC \
	SOURCE_DATE_EPOCH="$$(date -d "$$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)" +%s)" \
	RUSTFLAGS="--remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=/cargo --remap-path-prefix=$(CURDIR)=/src"

.PHONY: deb rpm install package-build completions

$(CARGO_DEB):
	cargo install --locked --root "$(TOOLS)" cargo-deb@3.8.0

$(CARGO_GENERATE_RPM):
	cargo install --locked --root "$(TOOLS)" cargo-generate-rpm@0.21.1

package-build:
	$(PACKAGE_ENV) cargo build --release --locked

deb: package-build $(CARGO_DEB)
	$(PACKAGE_ENV) "$(CARGO_DEB)" --no-build --locked --quiet --output "$(DEB)"
	ln -f "$(DEB)" target/debian/openclaw-oauth-sync.deb

# What cargo-deb does by itself is done here for the .rpm: the program stripped, the manual pages
# compressed, and no file older than the changelog, for cargo-generate-rpm only brings younger ones to its time.
rpm: package-build $(CARGO_GENERATE_RPM)
	mkdir -p target/rpm/files
	strip --strip-unneeded -R .comment -R .note -o target/rpm/files/oauth-sync "$(PACKAGE_TARGET)/release/oauth-sync"
	for page in man/*.[1-9]; do gzip -9nc "$$page" >"target/rpm/files/$${page##*/}.gz" || exit 1; done
	touch -c units/* completions/* docs/examples/* docs/examples/etcd/* debian/changelog debian/copyright
	$(PACKAGE_ENV) "$(CARGO_GENERATE_RPM)" --auto-req builtin --output "$(RPM)"
	ln -f "$(RPM)" target/rpm/openclaw-oauth-sync.rpm

install:
	@if command -v dpkg >/dev/null && command -v apt-get >/dev/null; then \
	    $(MAKE) deb && apt-get install -y --reinstall --allow-downgrades "./target/debian/openclaw-oauth-sync.deb"; \
	elif command -v dnf >/dev/null; then \
	    $(MAKE) rpm && { dnf -y install ./target/rpm/openclaw-oauth-sync.rpm && dnf -y reinstall ./target/rpm/openclaw-oauth-sync.rpm; }; \
	else \
	    echo "neither apt nor dnf is here: see docs/ for an installation by hand" >&2; exit 1; \
	fi

completions:
	cargo run --quiet --locked --example completions -- completions
