"""What LocalStack finds by its entry points. Imports wait until LocalStack asks for a plugin."""

from typing import Any

from localstack.runtime import hooks
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.services.plugins import Service, aws_provider


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> type[RuntimeExecutor]:
        from modstream_local_stack.executor import ProcessExecutor

        return ProcessExecutor


class GatewayServerPlugin(RuntimeServerPlugin):
    name = "modstream"

    def load(self, *args: Any, **kwargs: Any) -> RuntimeServer:
        from modstream_local_stack.gateway import GatewayServer

        return GatewayServer()


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Service:
    from modstream_local_stack.dynamodb import service

    return service()


@hooks.on_infra_start()
def hand_cookies_over() -> None:
    from modstream_local_stack import function_urls

    function_urls.install()


@hooks.on_infra_shutdown(priority=10)  # first: services that stop wait for invocations
def end_functions() -> None:
    from modstream_local_stack.executor import ROSTER

    ROSTER.close()
