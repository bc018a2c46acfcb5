"""A small FastAPI application: notes on the tenant's disk, and answers of every kind."""

import os

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

app = FastAPI()
NOTES = os.path.join(os.environ["DATA_DIR"], "notes.txt")


@app.get("/", response_class=PlainTextResponse)
def hello():
    return "hello from FastAPI\n"


@app.get("/big")
def big():
    return Response(b"0123456789abcdef" * 8192, media_type="application/octet-stream")


@app.get("/stream")
def stream():
    pieces = (f"piece {number}\n" for number in range(20))
    return StreamingResponse(pieces, media_type="text/plain")


@app.post("/echo")
async def echo(request: Request):
    return Response(await request.body(), media_type=request.headers["content-type"])


@app.get("/notes")
def notes():
    return FileResponse(NOTES)


@app.post("/notes", status_code=204)
async def add_note(request: Request):
    with open(NOTES, "ab") as file:
        file.write(await request.body())
