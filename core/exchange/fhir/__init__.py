"""FHIR R4 (4.0.1): a visit as a bundle, and a patient out of a file. docs/exchange.md says what is in it."""
