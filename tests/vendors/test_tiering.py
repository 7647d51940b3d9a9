"""Inherent risk: the worked example, the floors, and what must hold for all answers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.vendors.model import Tier
from vendorrisk.vendors.tiering import CURRENT, MODELS, V1, Answers, RiskFactor, inherent_risk_for

UPWARDS = [Tier.LOW, Tier.MEDIUM, Tier.HIGH, Tier.CRITICAL]
GIVEN = st.fixed_dictionaries({factor: st.none() | st.integers(0, 4) for factor in RiskFactor})


def answers(*values: int | None) -> Answers:
    return dict(zip(RiskFactor, values, strict=True))


def test_the_worked_example_scores_77_and_is_critical() -> None:
    result = inherent_risk_for(answers(4, 3, 3, 4, 2, 2, 1, 3))
    assert (result.score, result.tier) == (77, Tier.CRITICAL)
    assert [(f.weight * f.value) for f in result.factors] == [20, 9, 12, 20, 4, 8, 1, 6]
    assert [f.key for f in result.floors] == ["special_categories_at_scale", "privileged_access", "personal_data"]
    assert result.model_version == "inherent-1"


def test_the_weights_are_the_published_ones() -> None:
    assert [q.weight for q in V1.questions] == [5, 3, 4, 5, 2, 4, 1, 2]
    assert MODELS[CURRENT.version] is CURRENT


def test_the_ends_of_the_scale_are_0_and_100() -> None:
    assert inherent_risk_for(answers(*[0] * 8)).score == 0
    assert inherent_risk_for(answers(*[0] * 8)).tier is Tier.LOW
    assert inherent_risk_for(answers(*[4] * 8)).score == 100


def test_nothing_known_is_75_critical_and_says_what_is_unknown() -> None:
    result = inherent_risk_for({})
    assert (result.score, result.tier) == (75, Tier.CRITICAL)
    assert result.unknown == tuple(RiskFactor)
    assert all(f.answer == "Unknown" for f in result.factors)


@pytest.mark.parametrize(
    ("values", "score", "tier"),
    [
        ((2, 0, 0, 3, 0, 0, 0, 0), 24, Tier.LOW),
        ((2, 0, 0, 3, 0, 0, 1, 0), 25, Tier.MEDIUM),
        ((2, 4, 2, 4, 0, 0, 1, 0), 49, Tier.MEDIUM),
        ((2, 4, 2, 4, 1, 0, 0, 0), 50, Tier.HIGH),
        ((2, 4, 2, 4, 2, 3, 4, 1), 69, Tier.HIGH),
        ((2, 4, 2, 4, 2, 3, 3, 2), 70, Tier.CRITICAL),
    ],
)
def test_a_tier_begins_at_its_threshold(values: tuple[int, ...], score: int, tier: Tier) -> None:
    result = inherent_risk_for(answers(*values))
    assert (result.score, result.tier, result.floors) == (score, tier, ())


@pytest.mark.parametrize(
    ("values", "tier", "floor"),
    [
        ((4, 3, 0, 0, 0, 0, 0, 0), Tier.CRITICAL, "special_categories_at_scale"),
        ((0, 0, 0, 0, 0, 4, 0, 0), Tier.CRITICAL, "critical_function"),
        ((0, 0, 3, 0, 0, 0, 0, 0), Tier.HIGH, "privileged_access"),
        ((3, 0, 0, 0, 0, 0, 0, 0), Tier.MEDIUM, "personal_data"),
    ],
)
def test_a_floor_lifts_the_tier_and_is_given_as_a_reason(values: tuple[int, ...], tier: Tier, floor: str) -> None:
    result = inherent_risk_for(answers(*values))
    assert result.score < 50
    assert result.tier is tier
    assert floor in [applied.key for applied in result.floors]


@pytest.mark.parametrize("values", [(4, 2, 0, 0, 0, 0, 0, 0), (3, 4, 0, 0, 0, 0, 0, 0)])
def test_special_categories_in_small_number_are_not_critical_by_floor(values: tuple[int, ...]) -> None:
    assert inherent_risk_for(answers(*values)).tier is Tier.MEDIUM


@pytest.mark.parametrize("wrong", [-1, 5, 2**63])
def test_an_answer_off_the_scale_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="0 to 4"):
        inherent_risk_for(answers(wrong, 0, 0, 0, 0, 0, 0, 0))


@given(GIVEN)
def test_contributions_add_up_to_the_score_and_the_score_is_exact(given_answers: dict[RiskFactor, int | None]) -> None:
    result = inherent_risk_for(given_answers)
    assert sum(f.points for f in result.factors) == result.score
    exact = Fraction(100 * sum(f.weight * f.value for f in result.factors), 4 * 26)
    assert abs(exact - result.score) <= Fraction(1, 2)
    for factor in result.factors:
        assert abs(Fraction(100 * factor.weight * factor.value, 104) - factor.points) < 1


@given(GIVEN, st.sampled_from(list(RiskFactor)), st.integers(0, 4), st.integers(0, 4))
def test_more_of_any_factor_is_never_less_risk(
    given_answers: dict[RiskFactor, int | None], factor: RiskFactor, one: int, other: int
) -> None:
    low, high = sorted((one, other))
    less = inherent_risk_for({**given_answers, factor: low})
    more = inherent_risk_for({**given_answers, factor: high})
    assert less.score <= more.score
    assert UPWARDS.index(less.tier) <= UPWARDS.index(more.tier)


@given(GIVEN, st.sampled_from(list(RiskFactor)))
def test_unknown_is_never_better_than_the_answer_3_and_is_listed(
    given_answers: dict[RiskFactor, int | None], factor: RiskFactor
) -> None:
    unknown = inherent_risk_for({**given_answers, factor: None})
    three = inherent_risk_for({**given_answers, factor: 3})
    assert (unknown.score, unknown.tier, unknown.floors) == (three.score, three.tier, three.floors)
    assert factor in unknown.unknown
    assert factor not in three.unknown
