"""A small Flask application: notes on the tenant's disk, and answers of every kind."""

import os

from flask import Flask, Response, request

app = Flask(__name__)
NOTES = os.path.join(os.environ["DATA_DIR"], "notes.txt")


@app.get("/")
def hello():
    return "hello from Flask\n"


@app.get("/big")
def big():
    return b"0123456789abcdef" * 8192


@app.get("/stream")
def stream():
    return Response((f"piece {number}\n" for number in range(20)), mimetype="text/plain")


@app.post("/echo")
def echo():
    return Response(request.get_data(), mimetype=request.mimetype)


@app.get("/notes")
def notes():
    with open(NOTES, "rb") as file:
        return file.read()


@app.post("/notes")
def add_note():
    with open(NOTES, "ab") as file:
        file.write(request.get_data())
    return "", 204
