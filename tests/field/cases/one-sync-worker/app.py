import time
from urllib.parse import parse_qs


def app(environ, start_response):
    asked = parse_qs(environ["QUERY_STRING"])
    time.sleep(float(asked.get("s", ["0"])[0]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
