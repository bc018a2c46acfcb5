import os

DATA_DIR = os.environ["DATA_DIR"]
SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the gateway lets only the tenant's own host names through
ROOT_URLCONF = "site_of_notes.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware",
              "django.contrib.sessions.middleware.SessionMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3",
                         "NAME": os.path.join(DATA_DIR, "db.sqlite3")}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
