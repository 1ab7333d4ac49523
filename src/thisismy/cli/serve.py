"""serve: the page."""

from __future__ import annotations

from typing import Annotated

import typer

from thisismy.cli.output import say


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.", min=0, max=65535)] = 8765,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Any but this machine's own (127.0.0.1) is open to the network, and "
            "then every visitor needs the token that is printed."
        ),
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Show the library as a page: search, watch, name, confirm. Stop it with Ctrl-C."""
    from thisismy.web.serving import Server

    server = Server.prepare(context.obj.library, host=host, port=port)
    if server.token is not None:
        say(
            f"warning: {host} can be reached from other machines. Who has the address below sees and changes "
            "the whole library, and what is sent is not encrypted: use it in networks you trust."
        )
    typer.echo(server.url)
    if not context.obj.quiet:
        say("Ctrl-C stops it.")
    server.run(open_browser=browser)
