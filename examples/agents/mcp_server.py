"""A server with one tool, for agents that may use tools of MCP servers: ``python examples/agents/mcp_server.py``."""

from mcp.server import MCPServer

server = MCPServer("handbook")
PAGES = {"password": "Click the field first, then type.", "log in": "The button is below both fields."}


@server.tool()
def look_up(topic: str) -> str:
    """What the handbook says about a topic."""
    return next((text for word, text in PAGES.items() if word in topic), "Nothing.")


if __name__ == "__main__":
    server.run("stdio")
