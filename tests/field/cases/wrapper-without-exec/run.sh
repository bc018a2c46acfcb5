# gunicorn is a child of this shell: LISTEN_PID names the shell.
python3 -m gunicorn app:app
