"""The example proxy: run with real nginx where it is installed, in front of a small server that tells what it got."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
import websockets.exceptions
import websockets.sync.client
import websockets.sync.server

from config import Settings

EXAMPLE = (Path(__file__).parents[2] / "deploy/nginx/andond.conf").read_text(encoding="utf-8")
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

MAIN = """\
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/andond.conf;
}}
"""


def tell(connection, request):
    """Answer a plain request with the path and the headers as they came through the proxy."""
    if request.headers.get("Upgrade"):
        return None
    response = connection.respond(HTTPStatus.OK, json.dumps(dict(request.headers.raw_items()) | {"path": request.path}))
    response.headers["Connection"] = "close"
    return response


def echo(connection):
    with contextlib.suppress(websockets.exceptions.ConnectionClosed):
        connection.send(json.dumps(dict(connection.request.headers.raw_items())))
        for message in connection:
            connection.send(message)


@pytest.fixture
def upstream():
    """Serve WebSockets and plain requests as andond does, on a port of the kernel's choice."""
    with websockets.sync.server.serve(echo, "127.0.0.1", 0, process_request=tell) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(upstream, tmp_path):
    """Run nginx with the example, its ports and certificate exchanged; give its port and a context that trusts it."""
    authority = trustme.CA()
    authority.issue_cert("andond.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    # nginx takes over an open socket that its configuration names, as when it replaces itself: no port is guessed.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (tmp_path / "andond.conf").write_text(adapted(tmp_path, port, upstream))
        (tmp_path / "nginx.conf").write_text(MAIN.format(directory=tmp_path))
        process = subprocess.Popen(
            [NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"],
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
        )
    try:
        yield port, context
    finally:
        process.terminate()
        process.wait()
        assert "emerg" not in (tmp_path / "error.log").read_text()


def adapted(directory, port, upstream):
    changes = {
        "listen 443": f"listen 127.0.0.1:{port}",
        Settings().server.listen: f"127.0.0.1:{upstream}",
        "/etc/ssl/certs/andond.pem": f"{directory}/pem",
        "/etc/ssl/private/andond.key": f"{directory}/pem",
        "/var/log/nginx/": f"{directory}/",
    }
    text = EXAMPLE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def connect(proxy, path, **options):
    port, context = proxy
    sock = socket.create_connection(("127.0.0.1", port))
    return websockets.sync.client.connect(
        f"wss://andond.example{path}", sock=sock, ssl=context, server_hostname="andond.example", **options
    )


def get(proxy, path, headers=None, body=None):
    port, context = proxy
    with socket.create_connection(("127.0.0.1", port)) as plain:
        connection = http.client.HTTPConnection("andond.example")
        connection.sock = context.wrap_socket(plain, server_hostname="andond.example")
        connection.request("GET" if body is None else "POST", path, headers=headers or {}, body=body)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
    return response, answer


@needs_nginx
def test_a_token_in_a_url_is_not_written_to_the_log(proxy, tmp_path):
    get(proxy, "/ws/health?token=secret", {"Referer": "https://andond.example/?token=secret"})
    with connect(proxy, "/ws?token=secret") as client:
        client.recv(timeout=5)
    log = tmp_path / "andond.access.log"
    for _ in range(200):
        if log.read_text().count("\n") >= 2:
            break
        get(proxy, "/ws/health")
    assert " GET /ws HTTP/1.1 101 " in log.read_text()
    assert "secret" not in log.read_text()


@needs_nginx
def test_a_websocket_goes_through_the_proxy_frame_by_frame(proxy):
    with connect(proxy, "/stream") as client:
        client.recv(timeout=5)
        for message in ("one", "x" * 60_000, b"\x00\x01"):
            client.send(message)
            assert client.recv(timeout=5) == message


@needs_nginx
def test_a_client_cannot_forge_its_address(proxy):
    forged = {"X-Forwarded-For": "10.6.6.6", "Forwarded": "for=10.6.6.6", "X-Forwarded-Proto": "gopher"}
    with connect(proxy, "/stream", additional_headers=forged) as client:
        headers = json.loads(client.recv(timeout=5))
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert "Forwarded" not in headers
    assert "10.6.6.6" not in str(headers)


@needs_nginx
@pytest.mark.parametrize("path", ["/livez", "/metrics", "/statusz"])
def test_plain_requests_go_through_with_the_clients_address(proxy, path):
    response, answer = get(proxy, path, {"X-Forwarded-For": "10.6.6.6"})
    headers = json.loads(answer)
    assert response.status == HTTPStatus.OK
    assert headers["path"] == path
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["Host"] == "andond.example"
    assert "Upgrade" not in headers


@needs_nginx
def test_a_body_above_the_limit_is_refused_and_the_server_does_not_name_its_version(proxy):
    response, _ = get(proxy, "/api/v1/events", body=b"x" * (Settings().server.body_size + 1))
    assert response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert response.headers["Server"] == "nginx"


def test_the_example_agrees_with_the_settings():
    server = Settings().server
    assert f"server {server.listen} " in EXAMPLE
    assert f"client_max_body_size {server.body_size // 1024**2}m;" in EXAMPLE
    # Pings keep a stream alive: they come several times within the proxy's patience.
    assert server.ping_interval * 3 < 60
    assert EXAMPLE.count("proxy_read_timeout 60s;") == 1
