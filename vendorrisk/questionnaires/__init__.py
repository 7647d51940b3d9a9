"""Questionnaires: the questions that are asked of vendors, and the rules that decide which of them are asked.

A *questionnaire* has a key and a line of *versions*. Its *content* is one document of the format
`vendorrisk-questionnaire/1`. The *canonical form* of a content is its JSON with sorted keys, without blanks, in UTF-8
and NFC. The *digest* is the SHA-256 of that form.

A content has *sections*, a section has *questions*. A question has a *key*, which is never reused, a *kind*, a
*meaning* (a number that rises when something else is asked), and a *weight*. Its *place* is its number in the content,
from 1. A *gate* is a question that shows or hides others by its answer. A *flag* is a condition with a severity: it
marks a combination of answers and *facts* of our record that needs attention.

A *condition* decides whether a section or question is *shown*. It refers to earlier questions and to facts only. A
hidden question counts as unanswered in later conditions.

The pure rules:

    content, content_texts  the format, its canonical form and digest, and the normal form of its texts
    condition_tree      a condition as a tree of tests, and its truth
    condition_grammar   the language of conditions: parser and printer
    condition_checks    references, operators and values of a condition, and the facts it may ask
    reachability, answer_space  questions that no answers and facts can show
    visibility          the questions that are shown, and the flags that are raised
    content_checks, question_checks  all faults and warnings of a content, and those of one question
    comparison          the differences between two contents
    respondent_view     the part of a content that a vendor sees

The stored questionnaires:

    freezing            a content as the database holds it: text, digest, counts, questions spread out
    reading             a content that arrives as bytes, read and checked in the sandbox
    drafts              the one version that can change. Until one is saved, it is a copy of the latest version
    lints               doubts about a draft beside the versions before it
    publication         a draft becomes a version that never changes
    form_sheets         a content as the sheets of a workbook, and back
    form_workbook       that workbook as bytes
    oscal               an OSCAL catalogue as a questionnaire
    vsaq, vsaq_reading  Google's questionnaire (VSAQ) in our format, and its own notations
    built_ins           questionnaires that come with the service, and their adoption
    draft_routes        the routes of a draft

A stored draft has no fault. Its version is 0 until one is saved.

Invariants: a published version never changes. The view of a vendor has no weight, credit, condition or hidden flag.
Conditions are evaluated on the server alone.
"""
