# Runs the pipeline: docker build -f infra/training.Dockerfile -t tallystick-training . && docker run -v "$PWD":/tallystick tallystick-training
FROM python:3.11-slim-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends git libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 tally

WORKDIR /opt/tallystick
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --compile -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY feature_repo feature_repo
COPY governance governance
COPY serving serving
COPY training training
COPY monitoring monitoring
COPY tally tally
RUN pip install --no-cache-dir --no-deps --editable .

USER tally
WORKDIR /tallystick
ENTRYPOINT ["dvc"]
CMD ["repro"]
