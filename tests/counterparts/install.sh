#!/usr/bin/env bash
# Installs the counterparts that the tests use, into the folder named: about a minute.
#   mastodon-mock/         a stateful server with Mastodon's API (PyPI; MIT), in a venv of its own
#   telegram/schema.json   the Bot API as data (in aiogram's source package; MIT)
#   twitter-text/          X's own text library, the oracle for its length (npm; Apache-2.0)
# Tests whose counterpart is missing are skipped and say what was not proven.
set -euo pipefail
to=${1:-.cache/counterparts}
mkdir -p "$to/telegram" "$to/twitter-text"

if [ ! -f "$to/telegram/schema.json" ]; then
    work=$(mktemp -d)
    ${PYTHON:-python3} -m pip download -q --disable-pip-version-check --no-deps --no-build-isolation \
        --no-binary :all: -d "$work" aiogram==3.31.0 2>/dev/null ||
        ${PYTHON:-python3} -m pip download -q --disable-pip-version-check --no-deps \
            --no-binary :all: -d "$work" aiogram==3.31.0
    tar xzf "$work"/aiogram-3.31.0.tar.gz -C "$work" aiogram-3.31.0/.butcher/schema/schema.json
    cp "$work"/aiogram-3.31.0/.butcher/schema/schema.json "$to/telegram/schema.json"
    rm -rf "$work"
fi

if [ ! -x "$to/mastodon-mock/bin/mastodon_mock" ]; then
    ${PYTHON:-python3} -m venv "$to/mastodon-mock"
    "$to/mastodon-mock/bin/python" -m pip install -q --disable-pip-version-check mastodon-mock==0.6.1
fi

if [ ! -d "$to/twitter-text/node_modules/twitter-text" ] && command -v npm >/dev/null; then
    (cd "$to/twitter-text" && npm init -y >/dev/null &&
        npm install --no-audit --no-fund --ignore-scripts --silent twitter-text@3.1.0 >/dev/null)
fi
