"""MLflow's model registry, by its client alone: versions that name a run's weights, and aliases.

No model is pickled: a version's source is the run's safetensors file. A model is an MLflow
registered model; an alias (``champion``) names one version of it, and through that a run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gapwise.errors import UsageError, did_you_mean, shown
from gapwise.tracking.client import RUN_TAG, answering

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST_NAME = 250
LONGEST_ALIAS = 255

_MISSING = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"
_ALIAS = re.compile(r"[\w-]+")
_NUMBERED = re.compile(r"v\d+", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[/:@'\"`\\\x00-\x1f\x7f]")
_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a model; ``run_id`` is the run's own id, MLflow's where it has no other."""

    model: str
    number: str
    run_id: str
    mlflow_id: str


def checked_model(name: str) -> str:
    """Return the name of a model when every registry can hold it.

    Raises:
        UsageError: it is empty, too long, or holds a character with a meaning of its own.
    """
    bad = _FORBIDDEN.search(name)
    if not name.strip() or name in (".", "..") or len(name) > LONGEST_NAME or bad:
        raise UsageError(
            f"--model {shown(name, 40)!r} is no name of a model; use letters, digits, spaces, "
            f"dots, - and _, at most {LONGEST_NAME}"
        )
    return name


def checked_alias(alias: str) -> str:
    """Return an alias that MLflow takes.

    Raises:
        UsageError: it holds other characters than letters, digits, - and _, or names a version.
    """
    taken = alias.lower() == "latest" or _NUMBERED.fullmatch(alias)
    if taken or len(alias) > LONGEST_ALIAS or not _ALIAS.fullmatch(alias):
        raise UsageError(
            f"--as {shown(alias, 40)!r} is no alias; use letters, digits, - and _, and not "
            "`latest` or `v1`, which name versions"
        )
    return alias


class Registry:
    """The registry beside a tracking store."""

    def __init__(self, client: "MlflowClient", uri: str) -> None:
        """Use the registry of ``client``, whose store is at ``uri``."""
        self._client = client
        self._uri = uri

    def holder(self, model: str, alias: str) -> Version | None:
        """Return the version that holds an alias; None where there is no such model or alias.

        Raises:
            ServiceError: the registry does not answer.
        """
        number = self._aliases(model).get(alias)
        if number is None:
            return None
        with answering(self._uri):
            return _version(self._client.get_model_version(model, number))

    def register(self, model: str, *, run_id: str, mlflow_id: str, path: str) -> Version:
        """Return the version of a run's file, made once however often it is asked for.

        Args:
            model: the model, which is made when there is none.
            run_id: the run's own id.
            mlflow_id: MLflow's id of the run.
            path: the artifact, relative to the run's artifacts.

        Raises:
            ServiceError: the registry does not answer; a version without an alias may be left,
                which the next call finds.
        """
        with answering(self._uri):
            self._create_model(model)
            known = self._client.search_model_versions(f"run_id = '{mlflow_id}'")
            for version in known:
                if version.name == model:
                    return _version(version)
            root = self._client.get_run(mlflow_id).info.artifact_uri.rstrip("/")
            made = self._client.create_model_version(
                model, f"{root}/{path}", run_id=mlflow_id, tags={RUN_TAG: run_id}
            )
            return _version(made)

    def set_alias(self, version: Version, alias: str) -> None:
        """Let an alias name a version; it leaves the one that it named.

        Raises:
            ServiceError: the registry does not answer; the alias is where it was.
        """
        with answering(self._uri):
            self._client.set_registered_model_alias(version.model, alias, version.number)

    def named(self, ref: str) -> Version:
        """Return the version that ``MODEL@ALIAS`` names, or ``@ALIAS`` where one model has it.

        Raises:
            UsageError: no model has the alias, or several.
            ServiceError: the registry does not answer.
        """
        model, _, alias = ref.rpartition("@")
        with answering(self._uri):
            known = {one.name: dict(one.aliases) for one in self._models()}
        having = [name for name in known if alias in known[name] and model in ("", name)]
        if len(having) > 1:
            names = ", ".join(f"{name}@{alias}" for name in having)
            raise UsageError(f"{shown(ref)!r} is an alias of {len(having)} models; write {names}")
        if not having:
            every = [f"{name}@{one}" for name, aliases in known.items() for one in aliases]
            raise UsageError(
                f"no model has the alias {shown(ref)!r}; {did_you_mean(ref, every)} "
                "(`gapwise promote RUN --as ALIAS` sets one)"
            )
        with answering(self._uri):
            number = known[having[0]][alias]
            return _version(self._client.get_model_version(having[0], number))

    def run_ids(self) -> set[str]:
        """Return the runs that any version of any model is made of, by their own ids.

        Raises:
            ServiceError: the registry does not answer.
        """
        found: set[str] = set()
        token = None
        with answering(self._uri):
            while True:
                page = self._client.search_model_versions(max_results=_PAGE, page_token=token)
                found |= {_version(one).run_id for one in page}
                token = page.token
                if not token:
                    return found

    def _aliases(self, model: str) -> Mapping[str, str]:
        from mlflow.exceptions import MlflowException

        with answering(self._uri):
            try:
                return dict(self._client.get_registered_model(model).aliases)
            except MlflowException as error:
                if error.error_code == _MISSING:
                    return {}
                raise

    def _create_model(self, model: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != _EXISTS:
                raise

    def _models(self) -> list[Any]:
        found: list[Any] = []
        token = None
        while True:
            page = self._client.search_registered_models(max_results=_PAGE, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _version(found: Any) -> Version:
    return Version(
        model=found.name,
        number=str(found.version),
        run_id=found.tags.get(RUN_TAG, found.run_id or ""),
        mlflow_id=found.run_id or "",
    )
