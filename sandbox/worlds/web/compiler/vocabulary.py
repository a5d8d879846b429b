"""The words of all sites. A concept has up to four surface forms; labels are codes: 4 * concept + form.

A site shows the first form unless a perturbation renames it. Values of a task are drawn from the words of a category,
which have consecutive concepts in their natural order (``sort`` uses it).
"""

import numpy as np

from sandbox.engine.letters import as_bytes

FORMS = 4  # surface forms of a concept, at most
LONGEST = 28  # characters of one form

CAPTIONS = (  # buttons and menu entries that a task may name
    "Save|Keep changes|Store|Write to disk", "Print|Hard copy|To printer|Put on paper",
    "Share|Pass on|Make public|Hand round", "Export|Download|Extract|Save a copy elsewhere",
    "Archive|File away|Put aside|Move to storage", "Duplicate|Copy|Clone|Make another",
    "Rename|Change name|Relabel|Give new title", "Preview|Quick look|Peek|Show first",
    "Translate|Change language|Render|Other tongue", "Upload|Send file|Add file|Transfer up",
    "Undo|Revert|Take back|Step backwards", "Settings|Options|Preferences|Set-up",
)  # fmt: skip
LABELS = (
    "OK|Okay|Fine|All right", "Cancel|Abort|Never mind|Forget it", "Close|Dismiss|Shut|Put away",
    "Continue|Go on|Proceed|Carry on", "Submit|Send in|Hand in|Finish", "Search|Find|Look up|Seek",
    "Search text|Query|Search for|Key words", "Next|Forward|Further|Onwards", "Log in|Sign in|Enter|Authenticate",
    "User name|Login name|Account|Who are you", "Password|Secret word|Passphrase|Credentials",
    "Retry|Try again|Reload|Once more", "Open|View|Show|Read", "Reply|Answer|Respond|Write back",
    "Forward to|Recipient|To|Addressee", "Forward message|Send on|Redirect|Relay", "Delete|Remove|Erase|Bin",
    "Message|Text|Body|What to say", "Send|Post|Dispatch|Deliver", "Order|Buy|Purchase|Acquire",
    "Quantity|Amount of items|How many|Number", "Approve|Accept|Grant|Agree to", "Reject|Decline|Refuse|Turn down",
    "Confirm|Yes, do it|Affirm|I am sure", "Name|Full name|Person|Called", "City|Town|Place|Location",
    "Phone|Telephone|Call number|Tel.", "Date|Day|When|On", "Department|Team|Unit|Division",
    "Price|Cost|Amount|Sum", "Item|Product|Article|Thing", "Sort by price|Order by cost|By amount|Cheapest first",
    "Sort by name|Order by name|Alphabetical|A to Z", "Filter by city|Only this town|Restrict place|Narrow down",
    "Filter|Apply filter|Restrict|Narrow", "State|Status|Condition|Stage", "Priority|Urgency|Importance|Level",
    "File|Document|Data|Dossier", "Edit|Modify|Change|Work on", "From|Leaving from|Origin|Start",
    "Destination|Going to|Arrival|End", "Find flights|Search flights|Show flights|Look for trips",
    "Book|Reserve|Take this one|Secure", "Passenger|Traveller|Who flies|Guest",
    "Pay|Complete purchase|Settle|Check out",
    "Update|Save record|Apply|Commit", "New claim|Create claim|Add claim|Start a claim",
    "Reason|Purpose|Why|Explanation", "Request access|Ask for access|Apply for access|Get access",
    "Directory|Address book|People|Who is who", "Contact form|Card|Details|Entry form",
    "Comment|Note|Remark|Anything else", "Accept terms|Agree|I consent|Terms are fine",
    "Month|Calendar month|Which month|Period", "Catalogue|Shop|Store front|Range",
    "Back to list|Return|Overview|All entries",
    "Help|Support|Assistance|FAQ", "Home|Start page|Main page|Front", "Newsletter|Subscribe|Stay informed|Get mails",
    "Clear|Reset|Empty|Start over", "Accept cookies|Allow cookies|Cookies are fine|Take cookies",
    "No thanks|Not now|Later|Skip", "Claim prize|Get reward|Collect gift|Win now",
)  # fmt: skip
DATA = {
    "person": "Ada Ben Cleo Dan Eva Finn Gina Hugo Ida Jon Kim Lea Max Nora Otto Pia Quin Rosa Sam Tess Uma Vic Zoe",
    "city": "Accra Basel Cairo Delhi Essen Fargo Ghent Hanoi Izmir Jinan Kyoto Lagos Milan Nice Oslo Paris Quito Rome",
    "product": "Camera Charger Desk Dock Headset Keyboard Laptop Lamp Monitor Mouse Plotter Printer Router Tablet",
    "number": "1 2 3 4 5 6 7 8 9",
    "amount": "$12 $18 $25 $31 $40 $47 $55 $63 $74 $82 $90 $99 $120 $150 $180 $210",
    "phone": "555-0134 555-0147 555-0162 555-0175 555-0188 555-0193 555-0206 555-0219 555-0221 555-0235 555-0248",
    "date": "2~Jan 9~Jan 4~Feb 17~Feb 8~Mar 23~Mar 1~Apr 19~Apr 5~May 27~May 6~Jun 30~Jun 14~Jul 21~Aug 3~Sep 11~Oct",
    "day": "1st 3rd 5th 8th 12th 14th 17th 19th 22nd 25th 28th 30th",
    "subject": "Budget Contract Holiday Invoice Lunch Meeting Parking Review Roadmap Survey Travel Visit",
    "phrase": "Yes,~please Thank~you See~you~there Not~today Well~done I~agree On~my~way Call~me Good~idea All~clear",
    "word": "apple birch cedar daisy elder fern grape hazel iris juniper kale lotus maple nettle olive poppy",
    "account": "a.miller b.novak c.silva d.okoye e.tanaka f.dubois",
    "password": "tulip42 river77 stone13 cloud58 ember91 frost26",
    "team": "Sales Legal Finance Service Research Logistics",
    "incident": "INC1003 INC1017 INC1024 INC1038 INC1045 INC1052 INC1066 INC1079 INC1081 INC1098",
    "format": "PDF CSV HTML XML JSON TXT",
    "ticketstate": "New Assigned Waiting Solved Closed Reopened",
    "level": "Low Medium High Critical",
    "month": "January February March April May June July August September October November December",
}  # fmt: skip


class Vocabulary:
    """Concepts and their surface forms; a site file may add its own. Concept 0 is the empty text."""

    def __init__(self):
        self.forms: list[list[str]] = []
        self.index: dict[str, int] = {}
        self.known: set[str] = set()
        self.category: dict[str, tuple[int, int]] = {}  # name -> first concept, how many
        self.add([""])
        for name, entries in (("caption", CAPTIONS), *((k, v.split()) for k, v in DATA.items())):
            self.category[name] = (len(self.forms), len(entries))
            for entry in entries:
                self.add(entry.replace("~", " ").split("|"))
        for entry in LABELS:
            self.add(entry.split("|"))

    def add(self, forms: list[str]) -> int:
        """A new concept; its forms must be new, so that a text has one code."""
        assert self.known.isdisjoint(forms), forms
        self.known.update(forms)
        self.index[forms[0]] = len(self.forms)
        self.forms.append(forms)
        return len(self.forms) - 1

    def texts(self) -> np.ndarray:
        """Every form as (4 * concepts, 28) uint8, ASCII, padded with 0."""
        return as_bytes((form for own in self.forms for form in (own + [""] * FORMS)[:FORMS]), LONGEST)


def as_text(row: np.ndarray) -> str:
    """The inverse for one row."""
    return row.tobytes().rstrip(b"\0").decode("ascii")
