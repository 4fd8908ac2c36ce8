"""What the rows of `make bench` stand on: the programs they start, and how their CPU time and memory are read.

Everything listens on loopback ports the system picks, lives in one temporary folder, and is stopped by the `with`
that started it.
"""

import contextlib
import http.client
import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time

SCRIPTED_MODEL = "nataris-demo-2m"  # scripted providers stand in for it
ROOT = pathlib.Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A measurement could not be made."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for(what, seconds, test, every=0.02):
    """The first true value of `test`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = test()
        if value:
            return value
        time.sleep(every)
    raise BenchError(f"{what}: not after {seconds} s")


def stop(process):
    for ask, patience in ((process.terminate, 15), (process.kill, 5)):
        if process.poll() is None:
            ask()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


@contextlib.contextmanager
def running(argv, log, **options):
    """A program in a session of its own: Ctrl-C reaches us alone, and we stop what we started."""
    with open(log, "ab") as sink:
        process = subprocess.Popen(
            [str(word) for word in argv], stderr=sink, start_new_session=True, **{"stdout": sink, **options}
        )
    try:
        yield process
    finally:
        stop(process)


def cpu_seconds(pid):
    """CPU time of all threads of a process, to the nanosecond (the encoding is clock_getcpuclockid(3)'s)."""
    return time.clock_gettime((~pid << 3) | 2)


def set_scheduling(pids, policy, priority):
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))


@contextlib.contextmanager
def undisturbed(tools, pids):
    """With --real-time: real-time scheduling of these processes and of what we start meanwhile, so that other programs
    on the machine are not measured too. It starves them, so it must be asked for. Takes root."""
    if not tools.real_time:
        yield
        return
    pids = [*pids, os.getpid()]
    try:
        set_scheduling(pids, os.SCHED_RR, 1)
    except PermissionError as error:
        raise BenchError("--real-time takes root") from error
    try:
        yield
    finally:
        set_scheduling(pids, os.SCHED_OTHER, 0)


def memory_bytes(pid):
    """(VmRSS, Pss)"""
    found = {}
    for path in ("status", "smaps_rollup"):
        for line in pathlib.Path(f"/proc/{pid}/{path}").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("VmRSS", "Pss"):
                found[name] = int(rest.split()[0]) * 1024
    return found["VmRSS"], found["Pss"]


def child_of(pid):
    """The one child process of `pid`, or None."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if len(children) == 1 else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reachable(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def tail(path):
    text = pathlib.Path(path).read_text(errors="replace") if pathlib.Path(path).exists() else ""
    return "\n".join(text.splitlines()[-10:])


class Tools:
    """Where the programs are, and the temporary folder of this run."""

    def __init__(self, build, folder, real_time, before=None):
        self.before = before  # an earlier build's folder
        self.build, self.folder, self.real_time = pathlib.Path(build), pathlib.Path(folder), real_time
        self.nataris, self.llama = self.build / "nataris", self.build / "nataris-llama"
        self.count = 0

    def trust_devices(self):
        """Devices that nobody knows have one slot at first; an earlier build has no such option."""
        argv = [self.nataris, "gateway", "--help"]
        usage = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
        return ["--trust-devices"] if "--trust-devices" in usage else []

    def new_folder(self, name):
        self.count += 1
        path = self.folder / f"{name}-{self.count}"
        path.mkdir()
        return path

    def load(self, address, mode, n, seconds, request):
        """One run of the load generator; `request` is all bytes of one request."""
        path = self.folder / "request"
        path.write_bytes(request)
        argv = [self.build / "bench_http", address, mode, str(n), str(seconds), path]
        run = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        try:
            output, _ = run.communicate(timeout=seconds + 60)
        finally:
            stop(run)
        if run.returncode != 0:
            raise BenchError(f"bench_http {address} {mode} {n}: exit status {run.returncode}")
        result = json.loads(output)
        result["per_second"] = result["answers"] / result["seconds"]
        return result


class Gateway:
    """A gateway on a port of its own. Use with `with`; its providers end with it."""

    def __init__(self, tools, folder=None):
        self.tools, self.folder = tools, folder or tools.new_folder("gateway")
        self.log = self.folder / "log"
        self.providers = []

    def __enter__(self):
        self.started = contextlib.ExitStack()
        argv = [self.tools.nataris, "gateway", "--data", self.folder, "--listen", "127.0.0.1:0", "--json"]
        argv += self.tools.trust_devices()
        argv += ["--log-level", "warn"]
        exec_at = time.monotonic()
        process = self.started.enter_context(running(argv, self.log, stdout=subprocess.PIPE))
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if ready.select(20) else b""
        self.start_ms = (time.monotonic() - exec_at) * 1000
        if not line:
            self.started.close()
            raise BenchError(f"the gateway did not start:\n{tail(self.log)}")
        said = json.loads(line)
        self.pid, self.api_key = process.pid, said["api_key"]
        self.url = said["base_url"].removesuffix("/v1")
        self.address = self.url.removeprefix("http://")
        return self

    def __exit__(self, *_):
        self.started.close()

    def invite(self, uses=1):
        argv = [self.tools.nataris, "provider", "invite", "--data", self.folder, "--uses", str(uses), "--json"]
        return json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout)["token"]

    def add_provider(self, *options):
        """Starts one, the last of self.providers; returns its log, for wait_connected."""
        folder = self.tools.new_folder("provider")
        argv = [self.tools.nataris, "provider", "--gateway", self.url, "--join", self.invite(), "--data", folder]
        argv += ["--quiet", *options]
        self.providers.append(self.started.enter_context(running(argv, folder / "log")))
        return folder / "log"

    def wait_connected(self, logs, model, seconds=20):
        wait_for("providers connect", seconds, lambda: all("provider.connected" in log.read_text() for log in logs))
        wait_for(f"{model} is available", seconds, lambda: self.get(f"/v1/models/{model}").get("available"), 0.1)

    def add_scripted(self, count, slots):
        logs = [self.add_provider("--engine", "scripted", "--slots", str(slots)) for _ in range(count)]
        self.wait_connected(logs, SCRIPTED_MODEL)

    def get(self, path):
        return json.loads(ask(self.address, self.request(None, path))[1])

    def request(self, body, path="/v1/chat/completions"):
        """All bytes of one request."""
        content = b"" if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.address}", f"Authorization: Bearer {self.api_key}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
        return "\r\n".join(lines).encode() + content


def ask(address, request, timeout=60):
    """Sends the bytes of one request; (status, body)."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.sendall(request)
        with http.client.HTTPResponse(connection) as response:
            response.begin()
            return response.status, response.read()


NGINX_PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"  # not everybody's PATH has that folder
NGINX_CONFIG = """daemon off;
worker_processes 1;
pid pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    default_type application/json;
    keepalive_requests 1000000000;
    {before}
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{ {location} }}
    }}
}}
"""


class Nginx:
    """One nginx with one worker; `location` is what it does with every request."""

    def __init__(self, tools, location, before=""):
        self.tools, self.location, self.before = tools, location, before

    def __enter__(self):
        port = free_port()
        folder = self.tools.new_folder("nginx")
        config = folder / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(port=port, location=self.location, before=self.before))
        self.started = contextlib.ExitStack()
        argv = [NGINX_PROGRAM, "-p", folder, "-c", config, "-e", folder / "error.log"]
        process = self.started.enter_context(running(argv, folder / "log"))
        try:
            self.pid = wait_for("nginx starts", 10, lambda: reachable(port) and child_of(process.pid))
        except (BenchError, OSError) as error:
            said = tail(folder / "log") + tail(folder / "error.log")
            self.started.close()
            raise BenchError(f"nginx did not start: {error}\n{said}") from error
        self.address = f"127.0.0.1:{port}"
        return self

    def __exit__(self, *_):
        self.started.close()


def static_upstream(tools, body):
    """An nginx that answers everything with these bytes."""
    text = body.decode().replace("\\", "\\\\").replace("'", "\\'").replace("$", "S")
    return Nginx(tools, f"return 200 '{text}';")


def proxy(tools, upstream, more=""):
    """An nginx in front of another, as one would set it up for speed: HTTP/1.1 and connections kept."""
    keep = "keepalive 256; keepalive_requests 1000000000;"
    before = f"upstream behind {{ server {upstream.address}; {keep} }}"
    location = 'proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";'
    return Nginx(tools, f"{location} {more}", before)


def stop_on_signals():
    """SIGTERM and SIGHUP end the run as Ctrl-C does: through every `finally`."""

    def leave(number, _):
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
