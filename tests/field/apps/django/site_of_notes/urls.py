"""Notes as a table of SQLite on the tenant's disk, and answers of every kind."""

from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path


def table():
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS note (text text)")
    return cursor


def hello(request):
    return HttpResponse("hello from Django\n", content_type="text/plain")


def big(request):
    return HttpResponse(b"0123456789abcdef" * 8192, content_type="application/octet-stream")


def stream(request):
    pieces = (f"piece {number}\n".encode() for number in range(20))
    return StreamingHttpResponse(pieces, content_type="text/plain")


def echo(request):
    return HttpResponse(request.body, content_type=request.content_type)


def notes(request):
    cursor = table()
    if request.method == "POST":
        cursor.execute("INSERT INTO note VALUES (%s)", [request.body.decode()])
        return HttpResponse(status=204)
    cursor.execute("SELECT text FROM note ORDER BY rowid")
    return HttpResponse("".join(row[0] for row in cursor), content_type="text/plain")


urlpatterns = [path("", hello), path("big", big), path("stream", stream), path("echo", echo),
               path("notes", notes)]
