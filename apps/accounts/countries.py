"""Countries as ISO 3166-1 alpha-2 codes, found by code or by the names that people type."""

import pycountry

# Names that ISO does not list and shoppers use.
_ALIASES = {
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "eire": "IE",
    "holland": "NL",
    "channel islands": "JE",
    "usa": "US",
    "united states of america": "US",
    "uae": "AE",
    "rsa": "ZA",
    "south korea": "KR",
    "ivory coast": "CI",
    "turkey": "TR",
}


def country_code(text: str) -> str:
    """The two-letter code for a code or a common name; raises LookupError when unknown."""
    name = text.strip()
    alias = _ALIASES.get(name.casefold())
    return alias or str(pycountry.countries.lookup(name).alpha_2)


def country_name(code: str) -> str:
    """The English name for people ("United Kingdom"), or the code if ISO dropped it."""
    country = pycountry.countries.get(alpha_2=code)
    return str(getattr(country, "common_name", country.name)) if country else code
