"""The studio's entry: lists the pages and runs the chosen one."""

from pathlib import Path

import streamlit as st

from sandbox.studio.pages import batch, dream, lessons, replay, watch
from sandbox.studio.session import prepare

SIDEBAR = 340  # pixels: four choices fit side by side


def main() -> None:
    """The script that Streamlit runs at every rerun."""
    prepare()
    st.set_page_config(
        page_title="Sandbox",
        page_icon=str(Path(__file__).with_name("icon.svg")),
        layout="wide",
        initial_sidebar_state=SIDEBAR,
    )
    watching = st.Page(watch.page, title="Watch", icon=":material/visibility:", default=True)

    def to_watching() -> None:
        st.switch_page(watching, query_params=st.query_params)

    pages = [
        watching,
        st.Page(to_watching, url_path="watch", visibility="hidden"),  # the default page's own address is /
        st.Page(replay.page, title="Runs", icon=":material/history:", url_path="replay"),
        st.Page(batch.page, title="Batch", icon=":material/stacked_line_chart:", url_path="batch"),
        st.Page(dream.page, title="Dream", icon=":material/bedtime:", url_path="dream"),
        st.Page(lessons.page, title="Lessons", icon=":material/school:", url_path="lessons"),
    ]
    page = st.navigation(pages, position="top")
    st.html(Path(__file__).with_name("style.css"))
    with st.container(horizontal=True, key="narrow-navigation"):  # below some width, Streamlit hides its own
        for each in pages:
            if each.visibility == "visible":
                st.page_link(each, label=each.title)
    page.run()
