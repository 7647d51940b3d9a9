"""The turns of phrase that auditors and their clients use: the closed list that `proposals` and `tables` look for.

From the words of AICPA's SOC 2 guide and of AT-C 105 and 205, which reports follow closely, and of the layouts of
tables and lists around them. A pattern holds bounded repetition only, and no two alternatives that can match the same
text in two ways, so that no text of whatever length makes one slow (tests/evidence/test_text_extraction.py).
"""

import re
from typing import Final


def _cue(words: str) -> re.Pattern[str]:
    """Compile a phrase in which a blank, but for one in a set, stands for any blank."""
    plain = re.sub(r"\[[^]]*\]| ", lambda found: r"[ \n]" if found[0] == " " else found[0], words)
    return re.compile(plain, re.IGNORECASE)


# where things stand
LETTER = _cue(r"\b(?:bridge|gap) letter\b|letter of (?:no material change|continued operation)")
EXAMINED = _cue(r"\bwe (?:have examined|examined|were engaged to examine)\b")
RESTRICTED = _cue(r"restricted use|intended solely for the information|other than these specified parties")
ASSERTION_HEADING = _cue(
    r"\n(?:section (?:2|ii|two)\b|assertion of |[^\n]{0,60}management's assertion|management assertion)"
)

# the kind of report
SOC = _cue(r"\b(?:SOC|system and organization controls|service organization controls) ?(?:\(SOC\) ?)?-?([123])\b")
TYPED = _cue(r"\btype[ -]?(2|II|1|I|two|one)\b")
OPERATED = _cue(r"\b(?:suitability of the )?design and operating effectiveness of (?:the |its )?controls")
DESIGNED = _cue(r"\bsuitability of the design of (?:the )?controls")

# when
AS_OF = _cue(r"\bas (?:of|at) (?=[0-9A-Z])")

# who signed
FIRM_END: Final = (
    r"(?:LLP|L\.L\.P\.|LLC|L\.L\.C\.|PLLC|P\.C\.|PC|P\.A\.|PA|P\.L\.L\.C\.|CPAs?|Certified Public Accountants"
    r"|Assurance|ASSURANCE|Advisory|Accountants|GmbH|Limited|Ltd\.?|AG)"
)
FIRM = re.compile(rf"\n(?:/s/ ?)?([A-Z][^\n:;()]{{1,70}}?{FIRM_END})\.?(?= ?\n)")
PLACE = re.compile(r"\n[A-Z][A-Za-z .'-]{2,40}, (?:[A-Z]{2}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)(?= ?\n)")
BEFORE_PLACE = re.compile(r"\n(?:/s/ ?)?([A-Z][^\n:;()]{2,60})(?= ?\n)")
BY_FIRM = re.compile(
    r"(?i:prepared by|issued by|report by|examination by|auditor:?)[ \n](?:the[ \n]firm[ \n])?"
    rf"([A-Z][^\n:;()]{{1,70}}?{FIRM_END})\b"
)

# the opinion
IN_OUR_OPINION = _cue(r"\bin our opinion\b")
CLEAN = _cue(
    r"\bin our opinion,? (?:in all material respects|(?:the|management's) [^.]{0,300}in all material respects)"
)
QUALIFIED = _cue(
    r"\bexcept (?:for the (?:possible )?(?:matters?|effects?|deviations?|exceptions?)"
    r"|as (?:described|noted|discussed) in)\b"
)
ADVERSE = _cue(
    r"\bbecause of the significance of the matters?\b|\bdoes not (?:fairly )?(?:present|describe)\b"
    r"|\bwere not suitably designed\b|\bdid not operate effectively\b|\bwere not operating effectively\b"
)
DOUBTED = _cue(
    r"\bexcept (?:for|as|that)\b|\bwith the exception of\b|\b(?:qualified|modified) opinion\b|\bdid not operate\b"
    r"|\bnot (?:been )?(?:suitably designed|operating effectively)\b"
)
DISCLAIMED = _cue(
    r"\bdo(?:es)? not express an? opinion on (?!(?:it|that|this|the other|such|any other)\b)|\bdisclaimer of opinion\b"
)
NOT_ABLE = _cue(r"\bnot (?:been )?able to obtain sufficient|\bwere unable to obtain sufficient")
HEADINGS: Final = {
    "qualified": _cue(r"\n(?:basis for )?qualified opinion ?\n"),
    "adverse": _cue(r"\n(?:basis for )?adverse opinion ?\n"),
    "disclaimer": _cue(r"\n(?:basis for )?disclaimer of opinion ?\n"),
}

# the categories in scope
CATEGORY: Final = r"(?:security|availability|processing integrity|confidentiality|privacy)"
CATEGORY_LIST = _cue(
    rf"(?:relevant to|criteria for|categor(?:y|ies) of|categories:|criteria:|principles:|in scope:) (?:the )?"
    rf"({CATEGORY}(?:(?:, and |, & |, | and | & | \| |; | / |\n){CATEGORY}){{0,4}})(?! ?\(AICPA)"
)
ONE_CATEGORY = _cue(CATEGORY)
_SYSTEM_NAME: Final = (
    r"(?:[A-Z0-9][^\n .,;:\"()]{0,30}[ \n](?:(?:and|of|for|&)[ \n])?){1,9}?(?:[Ss]ystems?|[Pp]latform)"
)
SYSTEM = re.compile(
    rf"[Dd]escription[ \n]of[ \n](?:[Ii]ts|[Tt]he)[ \n](?P<described>{_SYSTEM_NAME})\b"
    r"(?![ \n](?:[Ss]ystem|[Pp]latform))"
    rf"|(?:'s|s')[ \n](?P<owned>{_SYSTEM_NAME})[ \n](?:throughout|for[ \n]the[ \n]period|as[ \n]of)\b"
)
UNFIT_SYSTEM: Final = frozenset({"service organization's system", "system"})

# results of tests
CRITERION: Final = r"(?:CC[1-9]|A1|C1|PI1|P[1-8])\.\d{1,2}\b"
CRITERIA = re.compile(rf"(?<![\w.]){CRITERION}")
CONTROL = re.compile(
    r"(?:^|(?<=[ \n]))(?:[A-Z]{2,5}-\d{1,3}(?:\.\d{1,3})?|(?:CC|A|C|PI|P)?\d{1,2}\.\d{1,2}\.\d{1,3}"
    r"|[A-Z]{1,4}\d{1,2}\.\d{1,2}-\d{1,2}|Control \d{1,3}(?:\.\d{1,3})?)(?=[ \n:])"
)
EXCEPTION = _cue(
    r"\b(?:exceptions?|deviations?)(?: (?:was|were))? (?:noted|identified|found)\b"
    r"|\b(?:exceptions?|deviations?):(?! ?(?:none|n/a|0)\b)"
    r"|\btest(?:ing)?s? of the control(?: activity)? disclosed(?: that)?\b"
)
RESULT = _cue(
    r"\b(?:no (?:exceptions?|deviations?|relevant exceptions?)|none) (?:was |were )?(?:noted|identified|found)\b"
)
NEGATED = _cue(
    r"\b(?:no|not|any|without|if|when|where|whether|zero|such|prior|previous|the|all|of|each|for|to) "
    r"(?:relevant |material |other |testing |significant )?$"
)
EXPLAINS = _cue(
    r"^[\"']? ?(?:means|indicates?|denotes?|is used|are (?:listed|described|presented|included|shown)"
    r"|by the service auditor|(?:during|in|for) (?:the )?(?:prior|previous)|if |: n/a|: 0\b|[.:]? none\b)"
)
RESPONSE = _cue(
    r"\bmanagement(?:'s)? (?:response|comments?)(?: to (?:the )?(?:exceptions?|deviations?)[^:\n]{0,40})?:? ?"
)
LAST_YEAR = _cue(r"\b(?:last year|prior year|previous (?:report|period|year)|prior (?:report|period))\b")
RESPONSES_HEADING = _cue(r"\n[^\n]{0,40}(?:management's responses?\b|other information provided by )[^\n]{0,80}(?=\n)")
HEADING = re.compile(r"\n(?:SECTION|Section) (?:[IV]{1,3}|\d)\b|\nCriteria Control\b")

# the duties of user entities
CUEC_HEADING = _cue(
    r"\n(?:[\dA-Z.]{1,6} )?(?:(?:complementary user[- ]entity|complementary customer|user[- ]entity"
    r"|user organi[sz]ation) controls?(?: considerations?)?"
    r"|complementary controls at (?:the )?user (?:entities|organi[sz]ations))"
    r"(?: \(\"?CUECs?\"?\))?[ .:]{0,2}(?=\n)"
)
ITEM = re.compile(
    r"\n(?:(?:\u2022|-|o|\*|\(?[a-z]\)|\d{1,2}[.)]|\d{1,2}(?=[ \n](?:User|Customer|Client)s?\b)|CUEC[- ]?\d{1,3}:?"
    rf"|(?P<criteria>{CRITERION}(?:, ?{CRITERION}){{0,6}}))[ \n])(?=[A-Z\"])"
)
# A heading begins with a capital letter. The same words within an item's line do not.
CUEC_END = _cue(
    r"\n(?-i:(?=[A-Z\d]))"
    r"(?:section (?:[iv]{1,3}|\d)\b|complementary subservice|subservice organi[sz]ations?(?=\n)|trust services c"
    r"|changes (?:to|during)|incidents?\b|system incidents|principal service|control environment(?=\n)"
    r"|information provided by|the (?:user entity )?controls (?:presented|listed) above|the list of (?:user|controls))"
)
CRITERIA_BEHIND = re.compile(rf"(?<=[.])(?:[ ,]{{1,2}}{CRITERION}){{1,8}}$")
RESPONSIBLE = _cue(
    r"\b(?:user entities|user organi[sz]ations|customers|clients|subscribers) "
    r"(?:are responsible for|should|must|need to) [^.]{10,400}\."
)

# who else
NAME: Final = (
    r"[A-Z][\w.&'-]{0,30}(?:[ \n](?:of|and|&|[A-Z0-9][\w.&'-]{0,30})){0,5}"
    r"(?:,?[ \n](?:Inc|LLC|Ltd|Limited|Corp|Corporation|L\.P|GmbH|plc|N\.V|B\.V)\b\.?)?"
)
KNOWN: Final = (
    r"(?:Amazon[ \n]Web[ \n]Services|Microsoft[ \n]Azure|Google[ \n]Cloud(?:[ \n]Platform)?"
    r"|Oracle[ \n]Cloud[ \n]Infrastructure|IBM[ \n]Cloud"
    r"|Equinix|Rackspace|Digital[ \n]Realty|CyrusOne|Flexential|DigitalOcean|Heroku"
    r"|Cloudflare|Fastly|Akamai|Datadog|Snowflake|MongoDB(?:[ \n]Atlas)?|Okta"
    r"|Auth0|GitHub|Twilio|SendGrid|Salesforce|Zendesk|Stripe)"
)
USES = re.compile(
    r"\b(?:uses?|utilizes?|engages?|relies[ \n]on|outsources[^.]{1,80}?[ \n]to|and|,)[ \n]"
    r"(?:(?:a|the)[ \n]subservice[ \n]organi[sz]ations?,?[ \n])?"
    rf"(?P<name>{NAME})(?P<alias>[ \n]\([^)]{{1,80}}\))?,?[ \n]"
    r"(?:to[ \n](?:provide|host|perform|support|deliver|manage)|for[ \n](?:its[ \n]|the[ \n])?[a-z]"
    r"|as[ \n](?:a|an|its)[ \n]|a[ \n]subservice)"
)
PROVIDED = re.compile(
    rf"\b(?:provided|performed|operated|hosted)[ \n]by[ \n](?P<name>{NAME})(?P<alias>[ \n]\([^)]{{1,80}}\))?"
    r"(?=,?[ \n](?:and[ \n]the|were|are|is|was)\b|[.;])"
)
AMONG = re.compile(
    rf"\b(?i:sub-?service[ \n]organi[sz]ations?),?[ \n](?P<name>{NAME})(?P<alias>[ \n]\([^)]{{1,80}}\))?"
    r"(?=,?[ \n](?:and|for|to)\b)"
)
ROW = re.compile(rf"\n(?:\u2022[ \n]?)?(?P<name>{NAME})(?:(?P<alias>[ \n]\([^)]{{1,60}}\))|[ \n]?(?=[:-][ \n]))")
KNOWN_ROW = re.compile(
    rf"\n(?:\u2022[ \n]?)?(?P<name>{KNOWN}(?:,?[ \n](?:Inc|LLC)\b\.?)?)(?P<alias>[ \n]\([^)]{{1,60}}\))?"
)
SUBSERVICE = _cue(r"\bsub-?service organi[sz]ations?\b")
SUBSERVICE_HEADING = _cue(
    r"\n(?:[\dA-Z.]{1,6} )?(?:carved?[- ]?out )?sub-?service organi[sz]ations?(?: \([^)\n]{1,40}\))?[ :]?(?=\n)"
    r"|following sub-?service organi[sz]ations?[^.:]{0,120}[:.](?=\n)"
)
SUBSERVICE_END = _cue(
    r"\n(?-i:(?=[A-Z\d]))"
    r"(?:complementary user|section (?:[iv]{1,3}|\d)\b|trust services c|changes (?:to|during)|incidents?\b"
    r"|control environment(?=\n))"
)
METHODS: Final = {
    "carve_out": _cue(
        r"\bcarved?[- ]?out\b|did not (?:include|extend to) (?:the )?(?:services|controls)"
        r"|excludes? the (?:services|controls|control objectives)"
    ),
    "inclusive": _cue(
        r"\binclusive method\b|\bincludes the (?:services and )?(?:related )?controls (?:of|at|performed by)\b"
    ),
}
LEGAL = re.compile(r",?[ \n](?:Inc|LLC|Ltd|Limited|Corp|Corporation|L\.P|GmbH|plc|N\.V|B\.V)\b\.?$")
NO_NAME: Final = frozenset(
    # prose, not a list literal, so that it can be read
    "The This These Those Its Our We In For As And A An It Section Trust Services Management Subservice Service "  # noqa: SIM905 - read better as prose
    "Organization Organizations Controls Control Criteria Complementary User Entity Entities Security Customers "
    "Description Type SOC AICPA Inc Inc. LLC Ltd Ltd. Limited Corp".split()
)

# bridge letters
THROUGH = _cue(r"\b(?:through|to|until|up to) (?:and including )?(?=[0-9A-Z])")
THIS_LETTER = _cue(r"\b(?:as of|through|to|until) the date of this letter\b")
