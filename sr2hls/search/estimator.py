"""The search as scikit-learn estimators: `fit` finds formulas, `predict` and `predict_circuit` evaluate one."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sr2hls.errors import FormatError, LoadError
from sr2hls.search.result import Choice, SearchResult
from sr2hls.search.run import search
from sr2hls.search.settings import Settings
from sr2hls.search.stages import Stages
from sr2hls.search.table import MIN_ROWS
from sr2hls.search.words import check_column

Floats = NDArray[np.float64]


class _SymbolicLatency(BaseEstimator):  # type: ignore[misc]
    """What regressor and classifier share.

    Parameters:
        engine, operators, definitions, target, clock_ns, width, costs, objective, max_cycles, max_luts, max_nodes,
            loss, budget, seconds, threads: as in `sr2hls.search` and its `Settings`; operators None: the default ones.
        features: inputs to keep, or None. finalists: formulas per output that are compiled, at most.
        test_share: rows held out to judge circuits by; with few rows none are.
        select: which formula predicts: "best", "accuracy", "score", an index, or "complexity=N".
        seeds, jobs: runs per output and worker processes.
        random_state: an int, or what scikit-learn takes as such.
        warm_start: start the next `fit` from the formulas of the last one (native engine).

    Attributes:
        result_: the `SearchResult` with all fronts; n_features_in_, feature_names_in_.
    """

    result_: SearchResult
    _stages: Stages | None = None  # for tests: other functions in the place of engine and second stage

    def __init__(
        self,
        *,
        engine: str = "auto",
        operators: tuple[str, ...] | None = None,
        definitions: dict[str, str] | None = None,
        target: str = "vu9p-2",
        clock_ns: float | None = None,
        width: int = 12,
        costs: str = "target",
        objective: str = "circuit",
        max_cycles: float | None = None,
        max_luts: float | None = None,
        max_nodes: int = 34,
        loss: str = "mse",
        budget: int = 1_000_000,
        seconds: float | None = None,
        threads: int = 0,
        features: int | None = None,
        finalists: int = 40,
        test_share: float = 0.2,
        select: Choice = "best",
        seeds: int = 1,
        jobs: int | None = None,
        random_state: Any = 0,
        warm_start: bool = False,
    ) -> None:
        self.engine = engine
        self.operators = operators
        self.definitions = definitions
        self.target = target
        self.clock_ns = clock_ns
        self.width = width
        self.costs = costs
        self.objective = objective
        self.max_cycles = max_cycles
        self.max_luts = max_luts
        self.max_nodes = max_nodes
        self.loss = loss
        self.budget = budget
        self.seconds = seconds
        self.threads = threads
        self.features = features
        self.finalists = finalists
        self.test_share = test_share
        self.select = select
        self.seeds = seeds
        self.jobs = jobs
        self.random_state = random_state
        self.warm_start = warm_start

    def _search(self, columns: dict[str, Floats], y: Any, sample_weight: Any, classify: bool) -> None:
        """Set `result_`. Raises ValueError for bad data or parameters, ToolError for a missing package."""
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        settings = Settings(
            definitions=self.definitions or {}, target=self.target, clock_ns=self.clock_ns, width=self.width,
            costs=self.costs, objective=self.objective, max_cycles=self.max_cycles, max_luts=self.max_luts,
            max_nodes=self.max_nodes, budget=self.budget, seconds=self.seconds, seed=int(seed), threads=self.threads,
        )  # fmt: skip
        wishes: dict[str, Any] = {} if self.operators is None else {"operators": tuple(self.operators)}
        warm = None
        if self.warm_start and hasattr(self, "result_"):
            warm = {o.name: [found.expression for found in o.front] for o in self.result_.outputs}
        try:
            self.result_ = search(
                columns, y, engine=self.engine, settings=settings, weights=sample_weight, test_share=self.test_share,
                loss=self.loss, classify=classify, features=self.features, finalists=self.finalists,
                seeds=self.seeds, jobs=self.jobs, warm=warm, stages=self._stages,
                multi_class=getattr(self, "multi_class", "auto"), **wishes,
            )  # fmt: skip
            self.result_.model(self.select)
        except (LoadError, FormatError) as error:
            raise ValueError(str(error)) from None
        self._design = None

    def _columns(self, X: Any, fresh: bool, y: Any = None, **checks: Any) -> tuple[dict[str, Floats], Any]:  # noqa: N803
        """The inputs by name, and y, checked as scikit-learn does. Names that no formula can hold become x0, x1, ..."""
        if fresh:
            X, y = validate_data(  # noqa: N806
                self, X, y, dtype=np.float64, ensure_min_samples=MIN_ROWS, **checks
            )
        else:
            X = validate_data(self, X, dtype=np.float64, reset=False)  # noqa: N806
        return dict(zip(self._names(), np.asarray(X, dtype=np.float64).T, strict=True)), y

    def _names(self) -> list[str]:
        names = [str(name) for name in getattr(self, "feature_names_in_", ())]
        try:
            for name in names:
                check_column(name)
        except LoadError:
            names = []
        return names or [f"x{at}" for at in range(self.n_features_in_)]

    def _values(self, X: Any) -> Floats:  # noqa: N803
        check_is_fitted(self, "result_")
        columns, _ = self._columns(X, fresh=False)
        return self.result_.predict(columns, self.select)

    def _circuit_values(self, X: Any) -> Floats:  # noqa: N803
        check_is_fitted(self, "result_")
        columns, _ = self._columns(X, fresh=False)
        rows = len(next(iter(columns.values())))
        design = self.compile()
        return np.asarray(design.predict({name: columns[name] for name in design.input_formats})).reshape(rows, -1)

    def compile(self, **options: Any) -> Any:
        """The circuit of the selected formula(s), an `sr2hls.Design`; `options` as of `sr2hls.compile`."""
        check_is_fitted(self, "result_")
        if options:
            return self.result_.compile(self.select, **options)
        if self._design is None:
            self._design = self.result_.compile(self.select)
        return self._design

    @property
    def equations_(self) -> dict[str, list[str]]:
        """The formulas of each output's front."""
        check_is_fitted(self, "result_")
        result: SearchResult = self.result_
        return {o.name: [found.equation for found in o.front] for o in result.outputs}


class SymbolicLatencyRegressor(RegressorMixin, _SymbolicLatency):  # type: ignore[misc]
    __doc__ = f"""Formulas for one or several numbers, searched with hardware latency as their complexity.

    {(_SymbolicLatency.__doc__ or "").partition("share.")[2].strip()}
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803
        """Search. X: shape (n, k); y: shape (n,) or (n, outputs). Raises ValueError, ToolError."""
        columns, targets = self._columns(X, True, y, multi_output=True, y_numeric=True)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        self._search(columns, np.asarray(targets, dtype=np.float64), weights, classify=False)
        self.fallback_ = np.average(targets, axis=0, weights=weights)
        return self

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """The selected formula in float64, shape as y; where it has no value, the mean of y in training."""
        values = self._values(X)
        return np.where(np.isfinite(values), values, self.fallback_).reshape(-1, *np.shape(self.fallback_))

    def predict_circuit(self, X: ArrayLike) -> Floats:  # noqa: N803
        """What the compiled circuit gives, bit for bit, shape as y."""
        return self._circuit_values(X).reshape(-1, *np.shape(self.fallback_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


class SymbolicLatencyClassifier(ClassifierMixin, _SymbolicLatency):  # type: ignore[misc]
    """Formulas for classes, searched with hardware latency as their complexity: one, or one per class against the rest.

    Parameters and attributes as of `SymbolicLatencyRegressor`, and classes_. The loss is "logistic" (the formula is a
    logit) or "mse" (the formula is near 1 for the class and near 0 for the rest). multi_class: "ovr", "softmax" or
    "auto" as of `sr2hls.search`: whether formulas of three classes and more are chosen and fitted together at last.
    """

    def __init__(
        self,
        *,
        engine: str = "auto",
        operators: tuple[str, ...] | None = None,
        definitions: dict[str, str] | None = None,
        target: str = "vu9p-2",
        clock_ns: float | None = None,
        width: int = 12,
        costs: str = "target",
        objective: str = "circuit",
        max_cycles: float | None = None,
        max_luts: float | None = None,
        max_nodes: int = 34,
        loss: str = "logistic",
        budget: int = 1_000_000,
        seconds: float | None = None,
        threads: int = 0,
        features: int | None = None,
        finalists: int = 40,
        test_share: float = 0.2,
        select: Choice = "best",
        seeds: int = 1,
        jobs: int | None = None,
        random_state: Any = 0,
        warm_start: bool = False,
        multi_class: str = "auto",
    ) -> None:
        super().__init__(
            engine=engine, operators=operators, definitions=definitions, target=target, clock_ns=clock_ns, width=width,
            costs=costs, objective=objective, max_cycles=max_cycles, max_luts=max_luts, max_nodes=max_nodes, loss=loss,
            budget=budget, seconds=seconds, threads=threads, features=features, finalists=finalists,
            test_share=test_share, select=select, seeds=seeds, jobs=jobs, random_state=random_state,
            warm_start=warm_start,
        )  # fmt: skip
        self.multi_class = multi_class

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803
        """Search. X: shape (n, k); y: labels of any kind, shape (n,). Raises ValueError, ToolError."""
        if self.loss not in ("logistic", "mse"):
            raise ValueError(f"a classifier's loss is logistic or mse, not '{self.loss}'")
        columns, labels = self._columns(X, True, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"there is one class, {self.classes_[0]}: nothing to tell apart")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        self._search(columns, codes.astype(np.float64), weights, classify=True)
        return self

    def decision_function(self, X: ArrayLike) -> Floats:  # noqa: N803
        """The formulas: shape (n,) for two classes (above 0: the second), else (n, classes)."""
        values = self._values(X)
        return self._centered(np.where(np.isfinite(values), values, self._neutral()))

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """The most likely class, shape (n,)."""
        return self._chosen(self.decision_function(X))

    def predict_circuit(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """The class by the compiled circuit, bit for bit, shape (n,)."""
        values = self._circuit_values(X)
        return self._chosen(self._centered(values[:, 0] if len(self.classes_) == 2 else values))

    def predict_proba(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Probabilities, shape (n, classes); of more than two classes by a softmax where that chose the formulas,
        else those against the rest, scaled to sum 1."""
        scores = self.decision_function(X)
        if self.result_.word is not None and self.select == "best":
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        single = 0.5 * (1 + np.tanh(scores / 2)) if self.loss == "logistic" else np.clip(scores + 0.5, 1e-6, 1 - 1e-6)
        if single.ndim == 1:
            return np.stack([1 - single, single], axis=1)
        single = np.maximum(single, 1e-300)
        return np.asarray(single / single.sum(axis=1, keepdims=True))

    def _neutral(self) -> float:
        return 0.0 if self.loss == "logistic" else 0.5

    def _centered(self, values: Floats) -> Floats:
        return values - self._neutral()

    def _chosen(self, scores: Floats) -> NDArray[Any]:
        places = (scores > 0).astype(np.intp) if scores.ndim == 1 else np.argmax(scores, axis=1)
        return np.asarray(self.classes_[places])
