"""The exact engine: linear lobbies, normal judgements, known constants for the rest.

The posterior is then unified skew-normal (D. Durante, "Conjugate Bayes for probit regression via unified skew-normal
distributions", Biometrika 106, 2019; A. Fasano, G. Rebaudo, D. Durante and S. Petrone, "A closed-form filter for binary
time series", Statistics and Computing 31, 2021). With margins m ~ N(xi, Om) at the rows, noise sigma and a box B that
the decisions make (comply: above c, violate: below -c, partial: between),

    evidence   p(y) = P(xi + U in B),  U ~ N(0, Gm),  Gm = Om + diag sigma^2
    forecast   P(y_new | y) = P(xi + U in B, y_new) / p(y)
    draws      theta = E theta + U0 + C Gm^-1 U1,  U1 = U given xi + U in B,  U0 ~ N(0, Om_theta - C Gm^-1 C')

Analysts pooled on a magnitude are a mixture: each combination of them is such a case, weighted by its evidence.
"""

from __future__ import annotations

from bayes_compliance.inference.exact.engine import Chances, Evidence, evidence, forecast, sample

__all__ = ["Chances", "Evidence", "evidence", "forecast", "sample"]
