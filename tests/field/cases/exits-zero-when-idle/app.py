# Ends by itself, with 0, when it was not asked for a second.
import os
import socket

listener = socket.socket(fileno=3)
listener.settimeout(1)
while True:
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        os._exit(0)
    connection.settimeout(5)
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()
