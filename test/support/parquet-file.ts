// A Parquet file by another writer, pyarrow 25: nine columns, each packed in another way, in row groups of five and three rows.

import { gunzipSync } from "node:zlib";

/** The file's bytes. Its columns: id, size, price, flag, day, when, colour, tags (lists), buys. */
export const PARQUET = gunzipSync(Buffer.from(packed(), "base64"));

function packed(): string {
  return [
    "H4sIANH6CGsC/6WWX2gcRRzHf7O7N3e32V4uR2a4jakuITekcI2pNCgSbJQSUe8hivXJh7tctkngeol3SUryUIOUEIyEKhprCX2uUkoJ",
    "WiyIpBHSPvhQ+lB8rJr2qaLEUgSV+JvZ3fT+5V48dnaWnfl+5/fnkyXDL791hBlskA1kWIRBAsAxCBBiOfD3bpQMhMH7RfyZAWtnyTQz",
    "WZxRRjvxldmt4V1/StO3QVm9Hlj1fPPsv45zH+CSJ753DP56HzaGf//l7nbHG8c1yG6FVpSjqHJUOvNNAGV80DdOssHA+JllLx5Nz2fP",
    "P97dLdOhg3QrClvP/+lYQZQDVZ4VkpFsNrt6cuTMJkAmvbhteoIYi0kBBAIvqRAe7LCe4ODl8MK5VwE+xvEpjs9w6OqwzqrDlo2FJzXR",
    "lUV3Bidp8QfZ+O32wyvfheDeyk9qRoMEa68yOCflJiG6iaph9nZGRiYruqbjQskdpTg5I4UZ1wnh01gp7Ral5IcvDbzL92jKWUeVaUuP",
    "F5SuRwxQQTlBXiRIGIfh1aOLdaWZ9UStluNyg36z1W9JB3s6SOtAn1yac8tyX3FS5cSrjo86lUn1sd4Mrkhp0ogComb6iLXUoEZrUaNE",
    "07tBebwSeChkkjcALnwhf9eP+dgOenPbYIAZ3QezPdMEezEwrcTsn82N9hsbX4dh51fzpWgFY3RfxvKjI+/kAD65//OJSsZoNWOUhBTc",
    "TnDqcmhhFbn6HMf5Sr5oHV9ezHV8BVwFnAV80Rq+KLZC+7980Vq+KNF1nXh/sMkgJ2kiLcNeHZC8KqXSeXfdb0MVWh5TPmABWrQWLT8f",
    "+8d+SNJyftw9lWMJ9EppSW1iFJiJD0Z5Yt6VjaBMS4amShN5NyVxtNLvyrsKT247WciNAdPwUR/NzaWsTEEuSSvj9LhbTLVnPkp0pj1O",
    "LXxL85OFyZlSCjIynn7cNp0bKzON0cyAfGEkjcJEeZppnmnYLbin3OK0JzZGZubKvpTH7bS9JqATE+kHGrdl7EzjJl8leImsiBxKy8JI",
    "K8ASaDBwiNpCk+hJmenLVKbM8oTrRJzVxEXSXBrzpV5dmIHaIv+eiMu6uK01l4KdomB7dWOAwqP8qFgxXsMVJarerfkHydqyCO6e5YtE",
    "LIbEptH8mKAmqgkshsppPi+WqLgVaigE0xdavtDvkyroJcKvErEeFpu0Tsy77AYBv6C6qjoZdBCTtfhZgpe4EhE74fowhKnZQ5oGkZpQ",
    "VNdVIEU+K65GxeP6zvIOO8iC38FCiQjfjkIjPihWkC8Rcc0UD6ONa0H3IURJvyLiTot4ZDaX1hFC+Tj/lohHlrhoNZfWEEIVIXcPVBOy",
    "t7uGEIo1OiO2YuLDWPNTagGhCpBbrWKptbmwHhDqA7ITFx/E6zuTsBvE2xgQyucxiAdtYr2tAR5YlSH/89gID6rweJAQlxP1QcT2guAX",
    "sErYen4tCj3OVK703ow7fTg/NXU4VypNnnZm3VJ5YrLoPNff29d7xF7Db81+FxzHz/Uw/mP4H/BeMQwdCgAA",
  ].join("");
}
