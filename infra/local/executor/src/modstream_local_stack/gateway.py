"""The address LocalStack is reached at."""

import sys

from localstack.config import HostAndPort
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor
from twisted.internet.error import CannotListenError

REQUESTS_SECONDS = 1.0  # for requests that run when the stack ends; a long poll would take its time


class GatewayServer(TwistedRuntimeServer):
    """LocalStack's server, with three differences: it listens on the given address only, where LocalStack's
    listens on all of the machine's; it fails where the port is taken; and it does not wait for long polls."""

    def register(self, gateway: Gateway, listen: list[HostAndPort], ssl_creds: tuple[str, str] | None = None) -> None:
        site = TwistedGateway(gateway)
        for address in listen:
            try:
                reactor.listenTCP(address.port, site, interface=address.host)
            except CannotListenError as e:
                sys.exit(f"error: can't listen on {address}: {e.socketError.strerror}; choose another port")

    def shutdown(self) -> None:
        if self.thread_pool:
            self.thread_pool.stop(timeout=REQUESTS_SECONDS)
        reactor.callFromThread(reactor.stop)
