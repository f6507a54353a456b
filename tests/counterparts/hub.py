"""A WebSub hub of PyPI's flask-websub on loopback: port and folder are its arguments.

It asks a subscriber back, fetches a topic when it is told of a change, and passes on what it found
where the answer names the topic and the hub itself; all before it answers.
"""

import sys

from celery import Celery
from flask import Flask
from flask_websub.hub import Hub, SQLite3HubStorage

port, folder = int(sys.argv[1]), sys.argv[2]
app = Flask("hub")
app.config["PUBLISH_SUPPORTED"] = True
work = Celery("hub", broker="memory://")
work.conf.task_always_eager = True
hub = Hub(SQLite3HubStorage(f"{folder}/hub.db"), work, **app.config)
app.register_blueprint(hub.build_blueprint(url_prefix="/hub"))
app.add_url_rule("/", "ready", lambda: "{}")
app.run("127.0.0.1", port, threaded=True)
