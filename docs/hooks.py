"""A hook of MkDocs: what the pages link to beside docs/ is on the site too, and the README is its first page."""

import re
from os.path import dirname, normpath, relpath
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
FIRST = {"README.md": "index.md"}  # places in the repository: those on the site
LINK = re.compile(r"(?<=\]\()[^)#:\s]+")


def _on_site(path: str) -> str:
    return FIRST.get(path) or path.removeprefix("docs/")


def _in_repository(page: str) -> str:
    return next(path for path in (*FIRST, page, f"docs/{page}") if _on_site(path) == page and (ROOT / path).exists())


def _target(path: str, link: str) -> str | None:
    """The place in the repository that a page links to; None where there is none."""
    found = normpath(f"{dirname(path)}/{link}").lstrip("/")
    return found if (ROOT / found).is_file() else None


def on_files(files, config):
    pages = ["README.md", *(f"docs/{page.src_uri}" for page in files.documentation_pages())]
    links = {_target(path, link) for path in pages for link in LINK.findall((ROOT / path).read_text(encoding="utf-8"))}
    for path in {"README.md", *links} - {None}:
        if not path.startswith("docs/"):
            files.append(File.generated(config, _on_site(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, config, files):
    home = page.file.src_uri
    path = _in_repository(home)

    def lead(link):
        found = _target(path, link[0])
        return relpath(_on_site(found), dirname(home) or ".") if found else link[0]

    return LINK.sub(lead, markdown)
