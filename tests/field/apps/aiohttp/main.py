"""A small aiohttp application: notes on the tenant's disk, and answers of every kind."""

import os
import socket

from aiohttp import web

NOTES = os.path.join(os.environ["DATA_DIR"], "notes.txt")
routes = web.RouteTableDef()


@routes.get("/")
async def hello(request):
    return web.Response(text="hello from aiohttp\n")


@routes.get("/big")
async def big(request):
    return web.Response(body=b"0123456789abcdef" * 8192)


@routes.get("/stream")
async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(20):
        await response.write(b"piece %d\n" % number)
    return response


@routes.post("/echo")
async def echo(request):
    return web.Response(body=await request.read(), content_type=request.content_type)


@routes.get("/notes")
async def notes(request):
    return web.FileResponse(NOTES)


@routes.post("/notes")
async def add_note(request):
    with open(NOTES, "ab") as file:
        file.write(await request.read())
    return web.Response(status=204)


app = web.Application()
app.add_routes(routes)
web.run_app(app, sock=socket.socket(fileno=3))
