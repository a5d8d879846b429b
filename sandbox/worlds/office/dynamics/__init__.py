"""The rules of the office: events, actions, documents, calendars, and what agents see."""
