"""Control as a real process: its API, its token, and what it remembers when it is killed."""

import signal
import stat

from control import ROOT

INSIGHT = ROOT / "examples" / "insight"
PORT_ONLY = ROOT / "examples" / "port-only"


def test_stops_in_order_on_sigterm(control):
    assert control.call("GET", "/v1/tenants").body["items"] == []
    assert control.stop() == 0


def test_lets_nobody_in_without_a_token(control):
    refused = control.call("GET", "/v1/tenants", token="gry_wrong")
    assert refused.status == 401
    assert refused.body["code"] == "unauthenticated"
    assert refused.body["advice"]
    token = control.data_dir / "control" / "operator.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_the_same_folder_twice_is_the_same_release(control):
    first = control.release(INSIGHT)
    again = control.release(INSIGHT)
    assert first.status in (200, 201), first.body
    assert first.body["hash"] == again.body["hash"]
    assert len(control.call("GET", "/v1/releases").body["items"]) == 1


def test_another_folder_is_another_release_with_no_frontend_needed(control):
    assert control.release(INSIGHT).body["hash"] != control.release(PORT_ONLY).body["hash"]


def test_a_bad_manifest_is_refused_at_its_line(control, tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "granary.yaml").write_text("app: bad\nservices:\n  api:\n    comand: [true]\n")
    refused = control.release(app)
    assert refused.status == 400
    assert "granary.yaml:4" in refused.body["detail"]
    assert "command" in refused.body["detail"] + refused.body["advice"]


def test_manifest_keys_that_are_not_built_are_refused_not_ignored(control, tmp_path):
    app = tmp_path / "app"
    app.mkdir()
    (app / "granary.yaml").write_text(
        "app: later\nservices:\n  api:\n    command: [python3]\n    listen: fd\n"
        "    routes: [/]\nschedules:\n  nightly: {cron: \"0 2 * * *\", post: /}\n")
    refused = control.release(app)
    assert refused.status >= 400
    assert "not supported yet" in refused.body["detail"]


def test_a_release_survives_sigkill(control):
    made = control.release(INSIGHT).body
    assert control.stop(signal.SIGKILL) == -signal.SIGKILL
    control.start()
    assert [release["hash"] for release in control.call("GET", "/v1/releases").body["items"]] == [
        made["hash"]]


def test_a_tenant_without_an_agent_waits_and_its_operation_survives_sigkill(control):
    control.release(INSIGHT)
    created = control.call("POST", "/v1/tenants", {"id": "acme"})
    assert created.status == 202, created.body
    control.stop(signal.SIGKILL)
    control.start()
    operations = control.call("GET", "/v1/operations").body["items"]
    assert [operation["kind"] for operation in operations] == ["tenant.create"]
    assert operations[0]["state"] in ("running", "waiting")
    assert control.call("GET", "/v1/tenants/acme").body["state"] == "creating"
    again = control.call("POST", "/v1/tenants", {"id": "acme"})
    assert (again.status, again.body["code"]) == (409, "already_exists")


def test_bad_names_are_refused_with_advice(control):
    control.release(INSIGHT)
    for name in ("", "Acme", "..", "a" * 300, "admin", "a--b"):
        refused = control.call("POST", "/v1/tenants", {"id": name})
        assert (refused.status, refused.body["code"]) == (400, "invalid_argument"), name
        assert refused.body["advice"]
    assert control.call("GET", "/v1/tenants").body["items"] == []
