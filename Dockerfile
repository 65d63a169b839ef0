# syntax=docker/dockerfile:1
# One image for the page, the workers and beat: which of them it is says the command (compose.yaml).
#
#   docker build -t autoreel .
#   docker build -t autoreel --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .    # for NVIDIA cards

FROM python:3.12-slim-trixie AS build
# The index of torch's builds: the CPU's is several GB smaller than what PyPI has for Linux.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG TORCH_VERSION=2.13.0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
# torch first and alone, as ./run does; then what is locked, by hash. Both layers stay while the lock does.
RUN pip install --extra-index-url "$TORCH_INDEX" "torch==$TORCH_VERSION"
COPY requirements.lock /app/
RUN pip install --require-hashes --no-deps -r /app/requirements.lock
COPY . /app
RUN pip install --no-deps --no-build-isolation -e /app

FROM python:3.12-slim-trixie
# pg_dump for `factory db backup`: of PostgreSQL 17, as the database of compose.yaml; security fixes are wanted, so no pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin factory \
    && install -d -o factory -g factory /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 FACTORY_HOME=/data HOME=/tmp
WORKDIR /app
USER 10001:10001
VOLUME /data
STOPSIGNAL SIGTERM
CMD ["factory", "serve"]
