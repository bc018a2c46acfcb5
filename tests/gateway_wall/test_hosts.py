"""Whose a request is: by the one host that it names, and by nothing else that it says."""

import pytest
from platform_up import needs_root
from wall import answers_in, read_to_end

pytestmark = needs_root

NOBODY = None
WRONG = 400


def ask(wall, host, *fields, target="/api/one"):
    lines = [b"GET " + target.encode() + b" HTTP/1.1", b"Host: " + host, *fields,
             b"Connection: close", b"", b""]
    answers = wall.talk(b"\r\n".join(lines))
    assert len(answers) == 1
    return answers[0]


def whose(wall, answer):
    """Which tenant's app said this; it is the only one that saw anything."""
    saw = [name for name in (wall.acme, wall.globex) if wall.taken(name)]
    if answer.status != 200:
        assert saw == []
        return answer.status
    assert saw == [answer.json()["app"]]
    return saw[0]


@pytest.mark.parametrize(("host", "tenant"), [
    (b"acme.localhost", "acme"), (b"globex.localhost", "globex"), (b"ACME.LOCALHOST", "acme"),
    (b"AcMe.lOcAlHoSt", "acme"), (b"acme.localhost.", "acme"), (b"acme.localhost.:80", "acme"),
    (b"acme.localhost:1", "acme"), (b"acme.localhost:65535", "acme"), (b"acme.localhost:0", "acme"),
    (b"acme.localhost:00080", "acme"),
    (b"x.acme.localhost", NOBODY), (b"acme.x.localhost", NOBODY),
    (b"acme.localhost.localhost", NOBODY),
    (b"localhost.acme", NOBODY), (b"acme", NOBODY), (b"acme.", NOBODY), (b"localhost", NOBODY),
    (b"acmelocalhost", NOBODY), (b"acme.localhostx", NOBODY),
    (b"acme.localhost.evil.example", NOBODY),
    (b"acme-.localhost", NOBODY), (b"-acme.localhost", NOBODY), (b"ac_me.localhost", NOBODY),
    (b"127.0.0.1", NOBODY), (b"0x7f000001", NOBODY), (b"2130706433", NOBODY), (b"[::1]", NOBODY),
    (b"[::1]:8080", NOBODY), (b"[::ffff:127.0.0.1]", NOBODY), (b"[2001:db8::1]", NOBODY),
    (b"xn--acme.localhost", NOBODY), (b"xn--cme-pla.localhost", NOBODY),
    ("\u0430cme.localhost".encode(), WRONG),  # a Cyrillic a
    ("acme\u3002localhost".encode(), WRONG), ("\uff41cme.localhost".encode(), WRONG),
    ("acme\u00ad.localhost".encode(), WRONG), ("acme.localhost\u2024".encode(), WRONG),
    (b"acme.localhost..", WRONG), (b".acme.localhost", WRONG), (b"acme..localhost", WRONG),
    (b"globex.localhost@acme.localhost", WRONG), (b"acme.localhost@globex.localhost", WRONG),
    (b"acme.localhost:80@globex.localhost", WRONG), (b"acme.localhost/globex.localhost", WRONG),
    (b"acme.localhost\\globex.localhost", WRONG), (b"acme.localhost,globex.localhost", WRONG),
    (b"acme.localhost globex.localhost", WRONG), (b"acme.localhost\tglobex.localhost", WRONG),
    (b"acme.localhost;globex.localhost", WRONG), (b"acme.localhost&globex.localhost", WRONG),
    (b"acme.localhost%00.globex.localhost", WRONG), (b"acme%2elocalhost", WRONG),
    (b"acme.localhost#globex.localhost", WRONG), (b"acme.localhost?globex.localhost", WRONG),
    (b"[acme.localhost]", WRONG), (b"[::1]acme.localhost", WRONG),
    (b"[::1%25acme.localhost]", WRONG),
    (b"acme.localhost:", WRONG), (b"acme.localhost:8080:globex.localhost", WRONG),
    (b"acme.localhost:99999", WRONG), (b"acme.localhost:globex.localhost", WRONG),
], ids=repr)
def test_a_host_names_its_tenant_or_nobody(wall, host, tenant):
    assert whose(wall, ask(wall, host)) == (404 if tenant is NOBODY else tenant)


@pytest.mark.parametrize("name", [
    b"X-Forwarded-Host", b"X-Host", b"X-Original-Host", b"X-HTTP-Host-Override", b"Forwarded",
    b"X-Forwarded-Server", b"X-Rewrite-URL", b"X-Original-URL", b"X-Granary-Tenant",
    b"X-Granary-Account", b"Referer", b"Origin", b"Authority", b"X-Forwarded-Prefix", b"Via",
    b"X_Host", b"Host_", b"X-HTTP-Method-Override", b"Sec-WebSocket-Key"])
def test_no_other_field_names_a_tenant(wall, name):
    answer = ask(wall, b"acme.localhost", name + b": globex.localhost")
    assert whose(wall, answer) == "acme"


@pytest.mark.parametrize("name", [
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
    "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded", "X-Forwarded-Evil", "Forwarded",
    "X-Real-IP", "X-Request-Id", "X-Client-IP", "Client-IP", "True-Client-IP", "X-Granary-Tenant",
    "X-Cluster-Client-IP", "X-Original-Forwarded-For", "X-Granary-Evil", "X_Forwarded_For",
    "X-Forwarded_For", "X.Forwarded.For", "x-FORWARDED-for", "X_Real_IP", "Proxy", "X_Request_Id"])
def test_what_only_the_gateway_says_is_not_believed_of_a_client(wall, name):
    answer = ask(wall, b"acme.localhost", name.encode() + b": evil-6.6.6.6")
    assert answer.status == 200
    [record] = wall.taken("acme")
    assert "evil-6.6.6.6" not in record["head"]
    for own in ("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host",
                "X-Request-Id"):
        assert record["head"].lower().count(f"\r\n{own.lower()}: ") == 1
    assert "\r\nX-Forwarded-For: 127.0.0.1\r\n" in record["head"]
    assert "\r\nX-Forwarded-Host: acme.localhost\r\n" in record["head"]


def test_one_connection_may_be_for_one_tenant_after_another(wall):
    hosts = ["acme", "globex", "acme", "nobody", "globex"]
    sent = "".join(f"GET /api/{number} HTTP/1.1\r\nHost: {name}.localhost\r\n\r\n"
                   for number, name in enumerate(hosts))
    with wall.platform.connect(timeout=5) as connection:
        connection.sendall(sent.encode())
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = answers_in(read_to_end(connection))
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 200, 404]
    assert [answer.json()["app"] for answer in answers if answer.status == 200] == [
        "acme", "globex", "acme", "globex"]
    targets = {name: [record["head"].split(" ")[1] for record in wall.taken(name)]
               for name in ("acme", "globex")}
    assert targets == {"acme": ["/api/0", "/api/2"], "globex": ["/api/1", "/api/4"]}
