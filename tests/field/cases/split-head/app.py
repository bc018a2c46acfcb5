# Writes its answer in two pieces: cut after N bytes of the head, N from the path (/17).
import socket
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
listener = socket.create_server(("127.0.0.1", 8080))
while True:
    connection, _ = listener.accept()
    asked = connection.recv(65536).split(b" ")[1]
    cut = int(asked.strip(b"/") or 0)
    if cut:
        connection.sendall(HEAD[:cut])
        time.sleep(0.05)
    connection.sendall(HEAD[cut:])
    connection.close()
