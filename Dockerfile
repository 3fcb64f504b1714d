# docker build -t gateway . && docker run -p 127.0.0.1:9091:9091 -v gateway:/data gateway

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source

# Dependencies first: they change more seldom than the code. pip compiles them, so that the first start is fast.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.txt \
    && python -m venv /opt/gateway \
    && /opt/gateway/bin/pip install --require-hashes --only-binary :all: -r requirements.txt

COPY pyproject.toml README.md ./
COPY gateway gateway
COPY templates templates
COPY static static
COPY nginx nginx
COPY config config
RUN /opt/build/bin/python -m hatchling build -t wheel -d dist \
    && /opt/gateway/bin/pip install --no-deps --no-index dist/*.whl


FROM python:3.11-slim
RUN groupadd --gid 9091 gateway \
    && useradd --uid 9091 --gid 9091 --home-dir /data --no-create-home --shell /usr/sbin/nologin gateway \
    && install --directory --owner gateway --group gateway --mode 0700 /data
COPY --from=build /opt/gateway /opt/gateway

ENV PATH=/opt/gateway/bin:$PATH \
    GATEWAY_DATA_DIR=/data \
    GATEWAY_LISTEN=0.0.0.0:9091
VOLUME /data
EXPOSE 9091
# By number, so that Kubernetes can see that it is not root.
USER 9091:9091
WORKDIR /data

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "\
from http.client import HTTPConnection; \
connection = HTTPConnection('127.0.0.1', 9091, timeout=3); \
connection.request('GET', '/healthz'); \
raise SystemExit(connection.getresponse().status != 200)"]

ENTRYPOINT ["gateway"]
CMD ["serve"]
