"""The theory as equations, once, for NumPy arrays and PyTensor tensors alike.

Source: J. P. Trachtman, "International Law and Domestic Political Coalitions: The Grand Theory of Compliance with
International Law", Chicago Journal of International Law 11 (2010), sections II and III. Every function works
elementwise and broadcasts; political weight (magnitudes, steps, thresholds, noise) is on one common scale of points.
"""

from math import sqrt
from typing import Any

import numpy as np

VIOLATE, PARTIAL, COMPLY = 0, 1, 2
CREDIT = (0.0, 0.5, 1.0)
"""What a decision adds to the record of conduct: violate, partial (or late), comply."""

MISCODING = {"certain": 0.0, "high": 0.01, "medium": 0.05, "low": 0.15}
"""Probability that a row's coded decision is not the one that was taken, by the row's confidence."""

_SQRT2 = sqrt(2.0)


class _NumPy:
    """The few functions that the equations need, for NumPy."""

    exp, log, where, minimum, equal = np.exp, np.log, np.where, np.minimum, np.equal

    @staticmethod
    def ndtr(x: Any) -> Any:
        from scipy.special import ndtr

        return ndtr(x)

    @staticmethod
    def erfcx(x: Any) -> Any:
        from scipy.special import erfcx

        return erfcx(x)


def namespace(*values: Any) -> Any:
    """The array functions that fit the arguments: PyTensor's if any of them is a tensor, else NumPy's."""
    return _pytensor() if any(_symbolic(value) for value in values) else _NumPy


def _symbolic(value: Any) -> bool:
    return type(value).__module__.startswith("pytensor")


def _pytensor() -> Any:
    import pytensor.tensor as pt

    class _PyTensor:
        exp, log, where, minimum, equal, erfcx = pt.exp, pt.log, pt.switch, pt.minimum, pt.eq, pt.erfcx

        @staticmethod
        def ndtr(x: Any) -> Any:
            return pt.erfc(-x / _SQRT2) / 2

    return _PyTensor


def magnitude(base: Any, change: Any, log: Any) -> Any:
    """A lobby's magnitude after a change since the reference date, in points.

    ``base * exp(change)`` on the log scale (change in log units), ``base + change`` on the linear one (points).
    The section on movement "from t1 to t2" leaves the law open; on the log scale the median stays at ``base``.

    Parameters
    ----------
    base, change : array
        Magnitude at the reference date and the change since; broadcast against each other.
    log : bool array
        Whether the lobby moves on the log scale.
    """
    if log.all():
        return base * namespace(base, change).exp(change)
    if not log.any():
        return base + change
    xp = namespace(base, change)
    return xp.where(log, base * xp.exp(xp.where(log, change, 0.0)), base + change)


def shadow(discount: Any, lag: Any = 1.0, periods: Any = None, hazard: Any = 0.0) -> Any:
    r"""Weight ``w`` that the counterparty's future performance has in today's decision (section II.C).

    With :math:`\delta = d (1 - h)`, detection after m periods and a punishment of n periods,

    .. math:: w = \frac{B}{C + B} = \frac{\delta^m (1 - \delta^n)}{1 - \delta^{m + n}},
              \quad B = \sum_{k=m}^{m+n-1} \delta^k, \quad C = \sum_{k=0}^{m-1} \delta^k .

    Grim trigger (``periods=None``): :math:`w = \delta^m`.

    Parameters
    ----------
    discount : array in [0, 1]
        Discount factor d, per year.
    lag : array >= 0
        Detection lag m, in years.
    periods : array > 0 or None
        Length n of the punishment in years; ``inf`` or None is for ever.
    hazard : array in [0, 1)
        Yearly chance h that the relation ends.

    Returns
    -------
    array in [0, 1]
    """
    delta = discount * (1 - hazard)
    if periods is None:
        return delta**lag
    xp = namespace(delta, lag, periods)
    # at delta = 1 the ratio tends to n / (m + n); just below it the formula is still exact to 1e-9
    delta = xp.minimum(delta, 1 - 1e-9)
    return delta**lag * (1 - delta**periods) / (1 - delta ** (lag + periods))


def critical_discount(temptation: Any, gain: Any) -> Any:
    """Discount factor above which a grim trigger sustains compliance: ``d* = (K' - X) / L`` (lag of one period).

    Parameters
    ----------
    temptation : array
        ``K' - X`` in points: what violation yields over compliance while the other side performs.
    gain : array > 0
        ``L`` in points: what the other side's performance is worth.
    """
    return temptation / gain


def conduct(trust: Any, credit: Any, count: Any) -> Any:
    """Belief ``q`` that the counterparty performs, from its record: ``(a + credit) / (a + n)``, in [0, 1].

    Parameters
    ----------
    trust : array > 0
        Weight ``a`` of the trust at adherence, in decisions.
    credit, count : array >= 0
        Sum of credits and number of the counterparty's compliance decisions strictly before the date.
    """
    return (trust + credit) / (trust + count)


def answer_to_type(discount: Any, q: Any) -> Any:
    """Weight of L when q is the belief that the counterparty is of the performing type: ``d q / (1 - d + d q)``.

    At d = 1 and q = 0 it is the limit in d, 0: who never performs is never answered, however patient the state.
    """
    rest = 1 - discount + discount * q
    xp = namespace(rest)
    return discount * q / xp.where(xp.equal(rest, 0.0), 1.0, rest)


def specific(alpha: Any, share: Any) -> Any:
    """What is left of L after the counterparty has performed the share f of its side: ``1 - alpha f``."""
    return 1 - alpha * share


def adherence_support(j: Any, k: Any, ell: Any, p1: Any, g1: Any) -> Any:
    """Net political support for adherence at t1, ``SA = J + L + P1 + G1 - K`` (section II.B)."""
    return j + ell + p1 + g1 - k


def compliance_support(j: Any, k: Any, ell: Any, p2: Any, g2: Any, wq: Any = 1.0) -> Any:
    """Net political support for compliance at t2, ``SC = J + w q L + P2 + G2 - K`` (section II.C)."""
    return j + wq * ell + p2 + g2 - k


def preference(x: Any, k_prime: Any, ell: Any) -> Any:
    """Type of a state's own preferences: 0 harmony (X >= K'), 1 dilemma (X < K' < X + L), 2 deadlock."""
    xp = namespace(x, k_prime, ell)
    return xp.where(x >= k_prime, 0, xp.where(k_prime < x + ell, 1, 2))


def outcome_log_probability(margin: Any, noise: Any, width: Any, outcome: Any) -> Any:
    r"""Log probability of an ordered outcome: violate < partial < comply.

    .. math:: p_{comply} = \Phi\{(M - c)/\sigma\}, \quad p_{violate} = \Phi\{(-c - M)/\sigma\}, \quad
              p_{partial} = 1 - p_{comply} - p_{violate}.

    With ``c = 0`` the outcome is binary. Computed by scaled tails, which neither clip nor overflow.

    Parameters
    ----------
    margin : array
        Net support less the threshold, M, in points.
    noise : array > 0
        Decision noise sigma, in points.
    width : array >= 0
        Half-width c of the band of partial outcomes, in points.
    outcome : int array
        0 violate, 1 partial, 2 comply. A constant spares the compiler what it rules out; a tensor may change.
    """
    xp = namespace(margin, noise, width)
    u, h = margin / noise, width / noise
    sign = (outcome if _symbolic(outcome) else np.asarray(outcome)) - float(PARTIAL)
    partial = namespace(sign).equal(sign, 0.0)
    some = _symbolic(partial) or partial.any()
    away = abs(u)
    x = xp.where(partial, h - away, sign * u - h) if some else sign * u - h
    # Phi(x) by its scaled tail, which neither vanishes nor overflows; below 0 the scale exp(-x^2 / 2) stays a log
    low = x < 0
    t = xp.where(low, -x, x)
    near, beyond = _scaled_tail(xp, t), 0.0
    if some:
        scale = xp.exp(xp.where(low, -2 * h * away, -((h + away) ** 2) / 2))
        beyond = xp.where(partial, _scaled_tail(xp, h + away) * scale, 0.0)
    p = xp.where(low, near - beyond, 1 - near * xp.exp(-(t**2) / 2) - beyond)
    return xp.log(p) - xp.where(low, x**2 / 2, 0.0)


def _scaled_tail(xp: Any, x: Any) -> Any:
    """``Phi(-x) exp(x^2 / 2)``."""
    return xp.erfcx(x / _SQRT2) / 2


def outcome_probabilities(margin: Any, noise: Any, width: Any) -> tuple[Any, Any]:
    """Probabilities of comply and of violate (partial is the rest), as in `outcome_log_probability`."""
    xp = namespace(margin, noise, width)
    u, h = margin / noise, width / noise
    return xp.ndtr(u - h), xp.ndtr(-u - h)


def coded_log_probability(margin: Any, noise: Any, width: Any, outcome: Any, error: Any, n_outcomes: Any) -> Any:
    """Log probability that a decision is coded as the outcome: `outcome_log_probability`, then `miscoded`."""
    return miscoded(outcome_log_probability(margin, noise, width, outcome), error, n_outcomes)


def miscoded(log_p: Any, error: Any, n_outcomes: Any) -> Any:
    """Log probability of the coded decision: ``(1 - e) P + e (1 - P) / (n - 1)`` for a miscoding probability e.

    Parameters
    ----------
    log_p : array <= 0
        Log probability P of the decision as coded.
    error : float array in [0, 1)
        Miscoding probability. At ``(n - 1) / n`` the coded decision says nothing.
    n_outcomes : int array
        Number n of possible outcomes, 2 or 3.
    """
    if not _symbolic(error):
        error = np.asarray(error, float)
        if not error.any():
            return log_p
    wrong = error / (np.asarray(n_outcomes) - 1)
    floor = namespace(wrong).where(wrong > 0, wrong, 1.0)
    xp = namespace(log_p, wrong)
    mixed = xp.log(floor + (1 - np.asarray(n_outcomes) * wrong) * xp.exp(log_p))
    return mixed if not _symbolic(wrong) and (wrong > 0).all() else xp.where(wrong > 0, mixed, log_p)
