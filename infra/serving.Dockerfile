# Serves one portfolio from its placed release. Holds no training code and none of its libraries.
FROM python:3.11-slim-bookworm

RUN useradd --create-home --uid 10001 tally
WORKDIR /opt/tallystick

COPY infra/serving.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --compile -r serving.lock

COPY pyproject.toml README.md LICENSE ./
COPY feature_repo feature_repo
COPY governance governance
COPY serving serving

ENV TALLY_HOME=/var/tally BENTOML_HOME=/tmp/bentoml BENTOML_DO_NOT_TRACK=True NUMBA_CACHE_DIR=/tmp/numba PYTHONPATH=/opt/tallystick
USER tally
VOLUME /var/tally
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=2s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/readyz', timeout=1)"]
CMD ["python", "-m", "bentoml", "serve", "serving.service:CreditScoring", "--host", "0.0.0.0", "--port", "3000"]
