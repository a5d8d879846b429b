# /// script
# dependencies = ["langgraph>=1.2,<2", "langchain-openai>=1.7,<2"]
# ///
"""A graph of LangGraph: the model, the tools, and back to the model until it has acted."""

from langchain_core.messages import SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from player import BASE_URL, CALLS, KEY, MODEL, RETRIES, Player


class LangGraph(Player):
    def build(self, instructions):
        tools = [self.tools.observe, self.tools.act, self.tools.say]
        model = ChatOpenAI(model=MODEL, base_url=BASE_URL, api_key=KEY, timeout=self.timeout, max_retries=RETRIES)
        bound = model.bind_tools(tools, tool_choice="required")

        def ask(state: MessagesState):
            return {"messages": [bound.invoke([SystemMessage(instructions), *state["messages"]])]}

        def acted(state: MessagesState):
            return END if self.tools.action else "model"

        graph = StateGraph(MessagesState)
        graph.add_node("model", ask)
        graph.add_node("tools", ToolNode(tools))
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", tools_condition)
        graph.add_conditional_edges("tools", acted, ["model", END])
        return graph.compile()

    def play(self, prompt):
        self.agent.invoke({"messages": [("user", prompt)]}, {"recursion_limit": 2 * CALLS})
