"""The domain: signals, record, procedure, safety, people and reports. No Qt, no bleak, no asyncio."""
