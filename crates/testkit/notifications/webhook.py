"""Receiver of webhooks: checks signatures with Python's hmac, and writes a JSON line for each request.

Usage: webhook.py PORT FILE, with the secret in WEBHOOK_SECRET.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

secret = os.environ["WEBHOOK_SECRET"]
key = base64.b64decode(secret.removeprefix("whsec_"))


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        message_id, seconds = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = f"{message_id}.{seconds}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        genuine = hmac.compare_digest(expected, self.headers["webhook-signature"])
        recent = abs(time.time() - int(seconds)) < 300
        line = {"id": message_id, "genuine": genuine and recent, "body": json.loads(body)}
        with open(sys.argv[2], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.send_response(204 if genuine else 401)
        self.end_headers()

    def log_message(self, *words):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
