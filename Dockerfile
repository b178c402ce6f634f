# Two images from one file: `web` serves pages and knows no torch; `worker` predicts.
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data
RUN useradd --uid 10001 --create-home blindfold \
    && install --directory --owner blindfold --mode 700 /data
WORKDIR /app
COPY requirements-web.txt ./
RUN pip install --no-cache-dir -r requirements-web.txt

FROM base AS web
COPY . .
USER blindfold
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://localhost:8000/healthz')"]
CMD ["gunicorn", "config.wsgi", "--config", "python:config.webserver", \
    "--bind", "0.0.0.0:8000", "--workers", "2"]

FROM base AS worker
# Set PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS to a place with torch for CPUs alone, to
# have an image without the libraries for GPUs.
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER blindfold
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s \
    CMD ["python", "manage.py", "alive"]
CMD ["celery", "--app", "config.celery", "--quiet", "worker", "--without-gossip", \
    "--without-mingle", "--without-heartbeat"]
