"""acme2certifier, a real ACME server, as tests/suite/acme.rs runs it: over TLS on a free port, with a folder of its own.

usage: acme_server.py FOLDER CHAIN KEY HTTP_PORT TLS_PORT

It verifies as it always does, but every name leads to 127.0.0.1, where port 80 is HTTP_PORT and port 443 is TLS_PORT. FOLDER holds
ca.crt, ca.key and ca.crl, with which it signs. Prints `acme server on PORT` when it is ready.
"""

import os
import socket
import ssl
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

folder, chain, key, http_port, tls_port = sys.argv[1:]
os.makedirs(f"{folder}/issued", exist_ok=True)
with open(f"{folder}/acme_srv.cfg", "w", encoding="utf-8") as config:
    config.write(
        f"[CAhandler]\nhandler_module: acme2certifier.cahandlers.openssl_ca_handler\n"
        f"issuing_ca_key: {folder}/ca.key\nissuing_ca_cert: {folder}/ca.crt\nissuing_ca_crl: {folder}/ca.crl\ncert_save_path: {folder}/issued\n"
        f"ca_cert_chain_list: []\ncert_validity_days: 90\n"
        f"[DBhandler]\nhandler: wsgi\ndbfile: {folder}/acme.db\n"
        f"[Challenge]\nchallenge_validation_timeout: 20\n"
        f"[Certificate]\nenrollment_timeout: 20\n[Order]\n[Nonce]\n[Directory]\n"
    )
os.environ["ACME_SRV_CONFIGFILE"] = f"{folder}/acme_srv.cfg"

from acme2certifier.acme_srv import helper  # noqa: E402
from acme2certifier.share import acme2certifier_wsgi  # noqa: E402


def resolve(_logger, _host, _servers=None, catch_all=False):
    return (["127.0.0.1"] if catch_all else "127.0.0.1"), False, None


helper.fqdn_resolve = resolve
PORTS = {80: int(http_port), 443: int(tls_port)}
connect = socket.socket.connect


def connect_elsewhere(self, address):
    if isinstance(address, tuple) and address[1] in PORTS:
        address = (address[0], PORTS[address[1]])
    return connect(self, address)


socket.socket.connect = connect_elsewhere


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


server = make_server("127.0.0.1", 0, acme2certifier_wsgi.application, Server, acme2certifier_wsgi.get_handler_cls())
server.base_environ["HTTPS"] = "on"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"acme server on {server.server_port}", flush=True)
server.serve_forever()
