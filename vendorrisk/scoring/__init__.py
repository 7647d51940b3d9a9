"""Scoring: answers are checked, declared, scored, carried over and compared. Pure: no database, clock or network.

    answer        a stance, a value in its normal form, and the note, files and further fields beside it
    mark          a reviewer's verdict on one version of an answer. It does not count for a later version
    declaration   all answers of a submission as one canonical text. Its SHA-256 names them
    method        the arithmetic of a score. `q1` is the only one
    snapshot      a score with all of its inputs. It can be computed again

The files:

    answers         answers and marks as all rules take them
    values          an answer checked against its question. `value_readers` reads the value of each kind
    missing         the parts that a submission still lacks
    declaration     the text of a submission and its digest
    policy          the tenant's policy about scores
    score_model     a score and its explanation
    q1              the method. `q1_plan` prepares a content, `q1_credits` has the credit of each kind of value,
                    `q1_explanation` has losses, sections, criteria and gates
    methods         the methods described for people
    snapshots       the digest of a score's inputs, and the score computed again
    carry_over      the answers of one cycle in the next
    suggestions     answers to other questionnaires that fit a question
    differences     two cycles compared

Invariants:

- Unknown is never good. Unanswered and unconfirmed questions, a "not applicable" without acceptance and a text without
  a reviewer's credit count 0.
- A score consists of integers and exact fractions. Its losses, its cap and its points make 100.
- The files of a method never change. New arithmetic is a new method with files of its own.
- Nothing carried or suggested counts before a person at the vendor confirms it.
"""
